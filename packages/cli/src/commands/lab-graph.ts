import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { findWorkloads, graphModel, observeLab, toMermaid, toSvg } from '@overland/lab';
import { command, UsageError } from '../command.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';

/** `lab graph [--format svg|mermaid]` - the topology with the state of its links and sessions. */
export const labGraph = command({
  name: 'lab graph',
  summary: 'Draw a lab with the state of its links and sessions',
  options: {
    format: {
      type: 'string',
      short: 'f',
      value: 'format',
      choices: ['svg', 'mermaid'],
      default: 'svg',
      summary: 'what to draw with',
    },
    out: { type: 'string', value: 'file', summary: 'where to write (default: standard output)' },
    name: NAME_OPTION,
  },
  examples: [
    ['overland lab graph --out lab.svg', 'a picture'],
    ['overland lab graph --format mermaid', 'for a page on GitHub or in a wiki'],
  ],
  handle: (context, { format, out, name }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab graph');
      const state = await observeLab(await chooseLab(name));
      const model = graphModel(state, await findWorkloads(state));
      const drawing = format === 'svg' ? toSvg(model) : toMermaid(model);
      if (out === undefined) context.stdout.write(drawing);
      else await write(resolve(context.workingDirectory, out), drawing);
      return 0;
    }),
});

async function write(path: string, drawing: string): Promise<void> {
  try {
    await writeFile(path, drawing);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot write ${path}: ${code}`, { cause: error });
  }
}
