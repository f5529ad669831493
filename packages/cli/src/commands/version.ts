import { command, OUTPUT_OPTION } from '../command.ts';
import { overlandVersion } from '../overland-version.ts';

/** `version [-o json]` - of Overland and of the Node.js that runs it. */
export const version = command({
  name: 'version',
  summary: 'Print the version',
  options: { output: OUTPUT_OPTION },
  examples: [
    ['overland version', 'for a person'],
    ['overland version -o json', 'for a script'],
  ],
  async handle({ stdout }, { output }) {
    const overland = await overlandVersion();
    const node = process.version.slice(1);
    if (output === 'json') stdout.write(`${JSON.stringify({ overland, node })}\n`);
    else stdout.write(`overland ${overland} (Node.js ${node})\n`);
    return 0;
  },
});
