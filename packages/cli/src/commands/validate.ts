import { stringifyJson } from '@overland/model';
import { command, OUTPUT_OPTION } from '../command.ts';
import { MANIFEST_OPTIONS } from '../manifests/manifest-options.ts';
import { readManifests } from '../manifests/read-manifests.ts';
import { createJudge, type Judgement } from '../manifests/verdict.ts';
import { showProgress } from '../progress.ts';

/** `validate -f FILE|DIR|- [-R] [-o json]` - says everything that is wrong with manifests; exit code 2 if anything is. */
export const validate = command({
  name: 'validate',
  summary: 'Check manifests, without a datastore',
  description:
    'Prints a line for each thing that is wrong: file, line, document, field, rule and value. With -o json a list with one verdict per document: file, index (from 0), kind, name, namespace, valid, and errors with path, value and rule. Exit code 0 if all are valid, 2 otherwise. Rules that need other objects, such as pools that overlap, are checked when the manifests are applied.',
  options: { ...MANIFEST_OPTIONS, output: OUTPUT_OPTION },
  examples: [
    ['overland validate -R -f manifests/', 'a directory, for continuous integration'],
    ['overland validate -f - -o json < pool.yaml', 'standard input, for a script'],
  ],
  async handle(context, { output, ...input }) {
    const { stdout, isInteractive } = context;
    const judge = createJudge();
    const judgements: Judgement[] = [];
    {
      using progress = showProgress(context);
      for await (const document of readManifests(input, context)) {
        if (isInteractive) progress.say(`${judgements.length} documents, ${document.file}`);
        judgements.push(judge(document));
      }
    }
    const bad = judgements.filter(({ verdict }) => !verdict.valid);
    if (output === 'json') {
      const verdicts = judgements.map(({ verdict }) => stringifyJson(verdict));
      stdout.write(`[${verdicts.join(',\n')}]\n`);
    } else {
      const lines = bad.flatMap((judgement) => judgement.lines);
      stdout.write(`${[...lines, summary(judgements.length, bad.length)].join('\n')}\n`);
    }
    return bad.length > 0 ? 2 : 0;
  },
});

function summary(all: number, bad: number): string {
  const documents = all === 1 ? '1 document' : `${all} documents`;
  if (bad === 0) return `${documents}: valid`;
  return all === bad ? `${documents}: not valid` : `${documents}: ${bad} not valid`;
}
