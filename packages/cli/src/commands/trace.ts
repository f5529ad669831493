import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { parseFlowKind } from '../policy/flow-kind.ts';
import { readPolicies } from '../policy/policy-inputs.ts';
import { POLICY_OPTIONS } from '../policy/policy-options.ts';
import { tracePackets } from '../trace/trace-session.ts';
import { traceTable } from '../trace/trace-table.ts';
import { waysOf, wayText } from '../trace/trace-text.ts';

/** `trace --from A --to B --port 443/tcp` - which rules of the kernel packets meet on this host. */
export const trace = command({
  name: 'trace',
  summary: 'Follow packets of a flow through the packet filter of this host, rule by rule',
  description: `Waits for packets from one end to the other and shows each chain and rule that they met, of whatever table: those of Overland are named after policies. Ends are written as for 'policy explain'; their addresses come from the
datastore, or from manifests (-f). Run it on the hosts of both ends. What iptables-legacy holds is not traced. Exit code 0 if all packets were let through, 7 if one was dropped, 3 if none came in time.`,
  options: {
    from: { type: 'string', value: 'end', summary: 'who sends' },
    to: { type: 'string', value: 'end', summary: 'to whom' },
    port: { type: 'string', value: 'port', summary: 'such as 443/tcp, 53/udp, icmp/8, proto/47' },
    count: {
      type: 'number',
      value: 'packets',
      minimum: 1,
      maximum: 10_000,
      summary: 'packets to wait for; default: 1',
    },
    seconds: {
      type: 'number',
      value: 'seconds',
      minimum: 1,
      maximum: 3600,
      summary: 'longest wait; default: 30',
    },
    output: OUTPUT_OPTION,
    ...POLICY_OPTIONS,
  },
  examples: [
    ['overland trace --from prod/web-1 --to prod/db-1 --port 5432', 'the next packet'],
    ['overland trace --from 10.65.0.7 --to 192.0.2.1 --port icmp --count 5', 'by address'],
  ],
  async handle(context, { from, to, port, count = 1, seconds = 30, output, ...source }) {
    if (from === undefined || to === undefined || port === undefined) {
      throw new UsageError('trace needs a flow: --from A --to B --port 443/tcp');
    }
    const kind = parseFlowKind(port, '--port');
    if (!context.isRoot) throw new UsageError('only root may trace packets');
    const { inputs } = await readPolicies(source, context);
    const { findPlace, PolicyView } = await import('@overland/felix/policy');
    const { endpoints } = new PolicyView(inputs);
    const find = (text: string) => findPlace(text, endpoints, inputs.nodes);
    const flow = { from: find(from), to: find(to), kind };
    const table = (name: string): string => {
      const text = traceTable(name, flow);
      if (text !== undefined) return text;
      throw new UsageError(`${from} and ${to} have no IP version in common`);
    };
    const { stdout, stderr, colours, signal } = context;
    const packets = await tracePackets({
      count,
      seconds,
      table,
      signal,
      started: () => stderr.write(`waiting for packets, ${seconds} s at most\n`),
    });
    const ways = waysOf(packets);
    if (output === 'json') {
      const told = ways.map(({ count: times, packet: { id: _, ...packet } }) => ({
        packets: times,
        ...packet,
      }));
      stdout.write(`${JSON.stringify(told)}\n`);
    } else stdout.write(ways.map((way) => wayText(way, colours)).join('\n'));
    if (packets.length === 0) {
      stderr.write(
        'no packet came: it did not reach this host, or iptables-legacy dropped it before\n',
      );
      return EXIT.notFound;
    }
    return packets.some(({ isDropped }) => isDropped) ? EXIT.refused : EXIT.success;
  },
});
