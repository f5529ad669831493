import type { Colours } from '../colours.ts';
import type { TracedPacket, TraceStep } from './traced-packet.ts';

/** Packets that took the same way. */
export interface TracedWay {
  readonly packet: TracedPacket;
  readonly count: number;
}

/** Packets that took the same way, in the order in which the ways were first seen. */
export function waysOf(packets: readonly TracedPacket[]): TracedWay[] {
  const ways = Map.groupBy(packets, ({ input, output, steps }) =>
    JSON.stringify([input, output, steps]),
  );
  return [...ways.values()].flatMap((same) => {
    const [packet] = same;
    return packet ? [{ packet, count: same.length }] : [];
  });
}

/** A way as text: each rule that the packet met, and what it did. */
export function wayText({ packet, count }: TracedWay, colours: Colours): string {
  const { input, output, steps, isDropped } = packet;
  const from = input === undefined ? 'from this host' : `in by ${input}`;
  const to = output === undefined ? '' : `, out by ${output}`;
  const end = isDropped ? colours.red('dropped') : colours.green('let through');
  const width = Math.max(0, ...steps.map((step) => placeOf(step).length));
  const lines = steps.map((step) =>
    `  ${placeOf(step).padEnd(width)}  ${stepText(step)}`.trimEnd(),
  );
  return [`${count} packet${count === 1 ? '' : 's'} ${from}${to}: ${end}`, ...lines, ''].join('\n');
}

function placeOf({ table, chain }: TraceStep): string {
  return `${table} ${chain}`;
}

function stepText({ rule, verdict }: TraceStep): string {
  if (rule === undefined) return `(end of the chain) ${verdict}`;
  // Most rules end with their verdict; that of a map is told by the verdict alone.
  return rule.endsWith(verdict) || verdict === 'continue' ? rule : `${rule} -> ${verdict}`;
}
