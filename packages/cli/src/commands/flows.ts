import type { FlowPage } from '@overland/agent/client';
import { connectAgent, reportingAgentErrors } from '../agent-connection.ts';
import { type CommandContext, command, OUTPUT_OPTION } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { flowRecordText } from '../flows/flow-record-text.ts';
import { writeOut } from '../write-out.ts';

/** How long the agent is to wait for a record, milliseconds. */
const WAIT_MS = 20_000;
/** So long a first look takes: what came before nobody listened to. */
const FIRST_MS = 3000;

/** `flows [--follow] [--denied]` - who talks to whom on this host, and which policy lets them or not. */
export const flows = command({
  name: 'flows',
  summary: "Show the flows of this host's workloads, and which rule decided about each",
  description: `A record says who, to whom, to which port, how much, and by which rule of which policy. Of connections it is known what they carried when they end; of denied packets the kernel tells a limited number a second. The agent
listens while somebody asks (or always: its settings \`flows\`, \`flowFile\` and \`flowOtlpEndpoint\`), and remembers the last 8192 records. -o json prints a line of JSON for each.`,
  options: {
    follow: { type: 'boolean', short: 'f', summary: 'go on with what happens' },
    denied: { type: 'boolean', summary: 'only what policies do not let through' },
    output: OUTPUT_OPTION,
  },
  examples: [
    ['overland flows --follow', 'watch'],
    ['overland flows --denied -f -o json', 'for a program: what is dropped, and why'],
  ],
  handle: (context, { follow, denied, output }) =>
    reportingAgentErrors(async () => {
      const { stdout, stderr, colours, signal } = context;
      let missed = 0;
      for await (const { records, lost, untold, overruns } of pages(context, { follow, denied })) {
        if (lost > 0) stderr.write(`${lost} records were forgotten before they could be shown\n`);
        if (untold + overruns > missed) {
          missed = untold + overruns;
          stderr.write(
            `the host could not keep up: ${untold} events without a record, ${overruns} overruns\n`,
          );
        }
        const lines = records.map((record) =>
          output === 'json' ? `${JSON.stringify(record)}\n` : flowRecordText(record, colours),
        );
        await writeOut(stdout, lines.join(''));
        if (signal.aborted) break;
      }
      return EXIT.success;
    }),
});

interface Question {
  readonly follow: boolean;
  readonly denied: boolean;
}

async function* pages(
  context: CommandContext,
  { follow, denied }: Question,
): AsyncGenerator<FlowPage> {
  const agent = connectAgent(context);
  const verdict = denied ? 'deny' : undefined;
  let waitMs = follow ? WAIT_MS : FIRST_MS;
  for (let after = 0; ; ) {
    let page: FlowPage;
    try {
      page = await agent.flows({ after, waitMs, verdict }, context.signal);
    } catch (error) {
      if (context.signal.aborted) return;
      throw error;
    }
    yield page;
    const isAll = page.records.length === 0 || page.next === after;
    if (!follow && isAll) return;
    if (!follow) waitMs = 0;
    after = page.next;
  }
}
