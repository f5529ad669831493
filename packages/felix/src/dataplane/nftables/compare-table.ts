import { type NftChain, type NftContent, NftError, type NftSet } from '@overland/linux';
import type { NftChainObject } from '../../calc/nftables/nft-objects.ts';
import type { WantedSet, WantedTable } from './plan-table.ts';
import { ABSENT, StaleParts } from './stale-parts.ts';

/**
 * Compares what the kernel holds with what is wanted.
 *
 * @param content `undefined`: there is no such table.
 * @param fingerprint What the kernel says of a rule with this text.
 */
export function compareTable(
  wanted: WantedTable,
  content: NftContent | undefined,
  fingerprint: (rule: string) => string,
): { readonly stale: StaleParts; readonly differences: number } {
  const stale = new StaleParts();
  if (!content || content.dormant || !isMendable(wanted, content)) {
    stale.isTableStale = true;
    for (const name of wanted.chains.keys()) stale.chains.set(name, false);
    for (const [name, set] of wanted.sets) noteMissing(stale, name, set);
    return { stale, differences: 1 };
  }
  for (const [name, chain] of wanted.chains) {
    const actual = content.chains.get(name);
    if (!actual || !hasRules(actual, chain, fingerprint)) {
      stale.chains.set(name, actual !== undefined);
    }
  }
  for (const name of content.chains.keys()) {
    if (!wanted.chains.has(name)) stale.chains.set(name, true);
  }
  let elements = 0;
  for (const [name, set] of wanted.sets) {
    const actual = content.sets.get(name);
    if (actual) elements += compareElements(stale, name, set, actual);
    else noteMissing(stale, name, set);
  }
  for (const name of content.sets.keys()) if (!wanted.sets.has(name)) stale.sets.set(name, true);
  return { stale, differences: stale.chains.size + stale.sets.size + elements };
}

/** Whether what has the name of ours is of our kind: else nothing of it can be kept. */
function isMendable({ chains, sets }: WantedTable, content: NftContent): boolean {
  for (const [name, { hook }] of chains) {
    const actual = content.chains.get(name);
    if (actual && !sameHook(actual.hook, hook)) return false;
  }
  for (const [name, { key, verdicts = false, interval = false }] of sets) {
    const actual = content.sets.get(name);
    if (!actual) continue;
    const isSame =
      actual.key.join() === key.join() &&
      actual.verdicts === verdicts &&
      actual.interval === interval;
    if (!isSame) return false;
  }
  return true;
}

function sameHook(a: NftChain['hook'], b: NftChainObject['hook']): boolean {
  return (
    a?.type === b?.type &&
    a?.hook === b?.hook &&
    a?.priority === b?.priority &&
    a?.policy === b?.policy
  );
}

function hasRules(
  actual: NftChain,
  { rules }: NftChainObject,
  fingerprint: (rule: string) => string,
): boolean {
  if (actual.rules.length !== rules.length) return false;
  try {
    return rules.every((rule, i) => fingerprint(rule) === actual.rules[i]);
  } catch (error) {
    // What is no rule for the kernel is not in it.
    if (error instanceof NftError) return false;
    throw error;
  }
}

function noteMissing(stale: StaleParts, name: string, { verdicts, elements }: WantedSet): void {
  stale.sets.set(name, false);
  if (verdicts) stale.noteAbsent(name, elements.keys());
}

function compareElements(stale: StaleParts, name: string, wanted: WantedSet, actual: NftSet) {
  let differences = 0;
  for (const [key, verdict] of wanted.elements) {
    if (actual.elements.has(key) && actual.elements.get(key) === verdict) continue;
    differences++;
    stale.noteElement(name, key, actual.elements.has(key) ? actual.elements.get(key) : ABSENT);
  }
  for (const [key, verdict] of actual.elements) {
    if (wanted.elements.has(key)) continue;
    differences++;
    stale.noteElement(name, key, verdict);
  }
  return differences;
}
