import type { ActiveRule } from '../policy/active-rule.ts';
import { DENY, type Version } from './names.ts';
import { type Conditions, conditionsOf } from './rule-conditions.ts';
import { clearMark, hasMark, hasNoMark, MARK, quoted, setMark } from './words.ts';

/** Group of NFLOG that Log rules write to: the kernel's own log is silent in namespaces. */
const LOG_GROUP = 1;
/** The kernel's 64 octets hold a terminating NUL. */
const MAX_LOG_PREFIX_OCTETS = 63;

/**
 * A rule as lines of iptables-restore without their chain, with the same meaning as `mismatches` gives it: none if it
 * can match nothing. What one line cannot say is worked out line by line in mark bits, so that many alternatives of
 * several kinds cost their sum, not their product. It needs accept and pass bits that are clear.
 *
 * @param label What Log writes.
 */
export function renderRule(rule: ActiveRule, label: string, version: Version): string[] {
  const conditions = rule.inert === undefined ? conditionsOf(rule, version) : undefined;
  if (!conditions) return [];
  const [before, matches] =
    conditions.choices.length === 0 && conditions.excluded.length === 0
      ? [[], [conditions.always]]
      : isListOfLines(rule, conditions)
        ? [[], listOfLines(conditions)]
        : inMarkBits(conditions);
  return [...before, ...act(rule.action, matches, label)];
}

/**
 * Whether one line for each alternative says the same. Several of them may match, which only Log would show; and
 * alternatives may name a protocol, where a line has room for one.
 */
function isListOfLines(
  { action, notProtocol }: ActiveRule,
  { choices, excluded }: Conditions,
): boolean {
  const isOneChoice = choices.length === 1 && excluded.length === 0;
  return isOneChoice && action !== 'Log' && notProtocol === undefined;
}

function listOfLines({ always, choices }: Conditions): string[] {
  return (choices[0] ?? []).map((alternative) => joined(always, alternative));
}

/** @returns Lines that leave the bit `all` set if everything holds, and the match on it. */
function inMarkBits({ protocol, always, choices, excluded }: Conditions): [string[], string[]] {
  const [first, ...others] = choices;
  const when = (condition: string, action: string) => joined(protocol, condition, action);
  const before = [
    ...(first
      ? [clearMark(MARK.all), ...first.map((one) => when(one, setMark(MARK.all)))]
      : [setMark(MARK.all)]),
    ...others.flatMap((choice) => [
      clearMark(MARK.one),
      ...choice.map((one) => when(one, setMark(MARK.one))),
      joined(hasNoMark(MARK.one), clearMark(MARK.all)),
    ]),
    ...excluded.map((one) => when(one, clearMark(MARK.all))),
  ];
  return [before, [joined(always, hasMark(MARK.all))]];
}

function act(action: ActiveRule['action'], matches: readonly string[], label: string): string[] {
  const each = (does: string) => matches.map((match) => joined(match, does));
  switch (action) {
    case 'Allow':
      return [...each(setMark(MARK.accept)), `${hasMark(MARK.accept)} -j RETURN`];
    case 'Pass':
      return [...each(setMark(MARK.pass)), `${hasMark(MARK.pass)} -j RETURN`];
    case 'Deny':
      return each(DENY);
    case 'Log': {
      const prefix = quoted(label, MAX_LOG_PREFIX_OCTETS);
      return each(`-j NFLOG --nflog-group ${LOG_GROUP} --nflog-prefix ${prefix}`);
    }
  }
}

function joined(...words: readonly string[]): string {
  return words.filter((word) => word !== '').join(' ');
}
