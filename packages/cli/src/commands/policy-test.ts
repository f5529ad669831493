import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { readTextFile, TextError } from '../manifests/read-text.ts';
import { type AnsweredFlow, FlowAnswers } from '../policy/ask-flow.ts';
import { type Expectation, parseExpectations } from '../policy/expectations.ts';
import { junitText, type TestOutcome } from '../policy/junit.ts';
import { readPolicies } from '../policy/policy-inputs.ts';
import { POLICY_OPTIONS } from '../policy/policy-options.ts';
import { reasonText } from '../policy/reason-text.ts';

const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** `policy test -f DIR --expect FILE [--junit FILE]` - whether policies do what a file says they should. */
export const policyTest = command({
  name: 'policy test',
  summary: 'Check a file of expectations about flows against policies',
  description: `The file has a list, tests, of { from, to, port, expect: allow | deny }, each with a name if you like and ipVersion: 4 or 6; ends and ports are written as for 'policy explain'. Policies are those of manifests (-f), or of
the datastore. Exit code 1 if an expectation does not hold, 2 if the file is faulty.`,
  options: {
    expect: { type: 'string', value: 'file', summary: 'the expectations, YAML or JSON' },
    junit: { type: 'string', value: 'file', summary: "also write the outcomes as JUnit's XML" },
    output: OUTPUT_OPTION,
    ...POLICY_OPTIONS,
  },
  examples: [
    ['overland policy test -R -f manifests/ --expect flows.yaml', 'before a merge'],
    ['overland policy test -f all.yaml --expect flows.yaml --junit out.xml', 'in CI'],
  ],
  async handle(context, { expect: file, junit, output, ...source }) {
    if (file === undefined) throw new UsageError('policy test needs expectations: --expect FILE');
    const { workingDirectory, stdout, stderr, colours } = context;
    const expectations = parseExpectations(
      await textOf(resolve(workingDirectory, file), file),
      file,
    );
    const { inputs, problems } = await readPolicies(source, context);
    for (const { resource, reason } of problems) stderr.write(`${resource}: ${reason}\n`);
    const answers = await FlowAnswers.of(inputs);
    const outcomes = expectations.map((expectation) => outcomeOf(expectation, answers));
    if (junit !== undefined) {
      await writeFile(resolve(workingDirectory, junit), junitText(file, outcomes));
    }
    const failed = outcomes.filter(({ failure }) => failure !== undefined);
    if (output === 'json') {
      stdout.write(`${JSON.stringify({ tests: outcomes.length, failures: failed })}\n`);
    } else {
      for (const { name, failure } of failed) {
        stdout.write(`${colours.red('failed')} ${name}: ${failure}\n`);
      }
      stdout.write(`${outcomes.length} expectations, ${failed.length} failed\n`);
    }
    return failed.length === 0 ? EXIT.success : EXIT.failure;
  },
});

async function textOf(path: string, given: string): Promise<string> {
  try {
    return await readTextFile(path, MAX_FILE_BYTES);
  } catch (error) {
    if (error instanceof TextError) throw new UsageError(`${given} ${error.message}`);
    throw error;
  }
}

function outcomeOf({ name, flow, expect }: Expectation, answers: FlowAnswers): TestOutcome {
  try {
    const answer = answers.ask(flow);
    const { action } = answer.explanation;
    return { name, failure: action === expect ? undefined : failureOf(answer, expect) };
  } catch (error) {
    if (!(error instanceof Error) || !['PlaceError', 'NoFamilyError'].includes(error.name))
      throw error;
    return { name, failure: error.message };
  }
}

function failureOf({ explanation }: AnsweredFlow, expect: 'allow' | 'deny'): string {
  const { steps } = explanation;
  if (expect === 'deny') {
    const why = steps.map(reasonText).join('; ') || 'no policy is asked';
    return `expected deny, but it is allowed: ${why}`;
  }
  const lines = steps
    .filter(({ action }) => action === 'deny')
    .flatMap((step) => [reasonText(step), ...step.hints.map((hint) => `  to allow it: ${hint}`)]);
  return `expected allow, but it is denied: ${lines.join('\n')}`;
}
