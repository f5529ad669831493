import type { FlowExplanation, FlowStep, Packet } from '@overland/felix/policy';
import { protocolText } from '@overland/model';
import type { Colours } from '../colours.ts';

/** What became of a flow, for people. */
export function flowText(
  { packet, action, steps, notes }: FlowExplanation,
  names: { readonly from: string; readonly to: string },
  colours: Colours,
): string {
  const verdict = action === 'allow' ? colours.green('allowed') : colours.red('denied');
  const lines = [
    `${ends(names, packet)}, ${packetText(packet)}: ${verdict}`,
    ...steps.flatMap((step) => stepLines(step, colours)),
    ...(steps.length === 0 ? ['', 'neither end is one of the cluster: no policy is asked'] : []),
    ...(notes.length > 0 ? ['', ...notes.map((note) => colours.yellow(`note: ${note}`))] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function ends(
  { from, to }: { readonly from: string; readonly to: string },
  packet: Packet,
): string {
  const end = (name: string, address: string) => (name === address ? name : `${name} (${address})`);
  return `${end(from, packet.source)} to ${end(to, packet.destination)}`;
}

/** `TCP 443`, `ICMP type 8`. */
function packetText({ protocol, destinationPort, icmpType }: Packet): string {
  const name = protocolText(protocol);
  if (destinationPort !== undefined) return `${name} ${destinationPort}`;
  return icmpType === undefined ? name : `${name} type ${icmpType}`;
}

function stepLines(
  { place, direction, action, judgement, note, hints }: FlowStep,
  colours: Colours,
) {
  const verdict = action === 'allow' ? colours.green('allowed') : colours.red('denied');
  const lines = [
    '',
    `${direction} of ${colours.bold(place)}: ${verdict}${note ? `, ${note}` : ''}`,
  ];
  for (const { tier, lists } of judgement?.outcomes ?? []) {
    lines.push(`  ${tier === undefined ? 'profiles' : `tier ${tier}`}`);
    for (const { name, missing, rules } of lists) {
      lines.push(`    ${name}${missing === undefined ? '' : `: ${missing}`}`);
      for (const { rule, action: does, mismatches } of rules) {
        const outcome =
          mismatches.length === 0
            ? colours.bold(`${does} matches`)
            : colours.dim(`${does} does not match: ${mismatches.join('; ')}`);
        lines.push(`      ${rule + 1}. ${outcome}`);
      }
    }
  }
  const reason = judgement?.decision.reason;
  if (reason !== undefined) lines.push(`  ${reason}`);
  for (const hint of hints) lines.push(colours.yellow(`  to allow it: ${hint}`));
  return lines;
}
