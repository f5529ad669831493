import type { Judgement } from './judge-packet.ts';

const MAX_HINTS = 3;

/** What would let a packet through that was denied. */
export function hintsOf({ decision, outcomes }: Judgement): string[] {
  if (decision.rule !== undefined) {
    return [
      `change rule ${decision.rule + 1} of ${decision.list}, or let a rule before it allow this`,
    ];
  }
  const asked = outcomes.filter(({ tier }) => tier === decision.tier).flatMap(({ lists }) => lists);
  const near = asked
    .flatMap(({ name, rules }) =>
      rules
        .filter(({ action, mismatches }) => action === 'Allow' && mismatches.length > 0)
        .map(({ rule, mismatches }) => ({ rule, name, mismatches })),
    )
    .toSorted((a, b) => a.mismatches.length - b.mismatches.length)
    .slice(0, MAX_HINTS)
    .map(
      ({ rule, name, mismatches }) =>
        `rule ${rule + 1} of ${name} would allow it, but ${mismatches.join('; ')}`,
    );
  if (near.length > 0) return near;
  const [first] = asked;
  return [
    first === undefined
      ? 'give it a profile, or a policy that allows this'
      : `no rule of ${asked.map(({ name }) => name).join(', ')} allows anything like it: add one`,
  ];
}
