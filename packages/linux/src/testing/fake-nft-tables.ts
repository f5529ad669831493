import { type NftChange, type NftElement, NftError, type NftHook } from '../nftables.ts';

/** A table of {@link fakeNftables}: rules as text. */
export interface FakeNftTable {
  dormant: boolean;
  readonly chains: Map<string, { hook: NftHook | undefined; readonly rules: string[] }>;
  readonly sets: Map<string, FakeNftSet>;
}

interface FakeNftSet {
  readonly key: readonly string[];
  readonly verdicts: boolean;
  readonly interval: boolean;
  readonly elements: Map<string, string | undefined>;
}

/** Tables after these changes. @throws {NftError} As the kernel would refuse. */
export function tablesAfter(
  before: ReadonlyMap<string, FakeNftTable>,
  changes: readonly NftChange[],
): Map<string, FakeNftTable> {
  const tables = new Map(before);
  const copied = new Set<string>();
  for (const change of changes) {
    const table = tables.get(change.table);
    if (table && !copied.has(change.table)) tables.set(change.table, structuredClone(table));
    copied.add(change.table);
    apply(tables, change);
  }
  return tables;
}

/** A rule's text is its fingerprint. */
export function contentOfFake({ dormant, chains, sets }: FakeNftTable) {
  return {
    dormant,
    chains: new Map(
      [...chains].map(([name, { hook, rules }]) => [
        name,
        { hook, rules: rules.map((rule) => (rule === '' ? undefined : rule)) },
      ]),
    ),
    sets: new Map([...sets].map(([name, set]) => [name, structuredClone(set)])),
  };
}

function apply(tables: Map<string, FakeNftTable>, change: NftChange): void {
  if (change.type === 'add-table') {
    const table = tables.get(change.table) ?? { chains: new Map(), sets: new Map() };
    tables.set(change.table, { ...table, dormant: false });
    return;
  }
  const table = tables.get(change.table) ?? refuse(change, 'no such table');
  if (change.type === 'delete-table') tables.delete(change.table);
  else if ('chain' in change) applyToChain(table, change);
  else applyToSet(table, change);
}

type ChainChange = Extract<NftChange, { readonly chain: string }>;
type SetChange = Extract<NftChange, { readonly set: string }>;

function applyToChain({ chains, sets }: FakeNftTable, change: ChainChange): void {
  const chain = chains.get(change.chain);
  if (change.type === 'add-chain') {
    if (chain && JSON.stringify({ ...chain.hook, policy: 0 }) !== identity(change.hook)) {
      if (change.hook !== undefined) refuse(change, 'it is there with another hook');
    }
    chains.set(change.chain, { hook: change.hook ?? chain?.hook, rules: chain?.rules ?? [] });
    return;
  }
  if (!chain) refuse(change, 'no such chain');
  if (change.type === 'add-rule') {
    for (const [, name = ''] of change.rule.matchAll(/@(\S+)/g)) {
      if (!sets.has(name)) refuse(change, `no set ${name}`);
    }
    for (const name of targetsOf(change.rule)) {
      if (!chains.has(name)) refuse(change, `no chain ${name}`);
    }
    chain.rules.push(change.rule);
    return;
  }
  chain.rules.length = 0;
  if (change.type === 'flush-chain') return;
  const texts = [
    ...[...chains.values()].flatMap(({ rules }) => rules),
    ...[...sets.values()].flatMap(({ elements }) => [...elements.values()]),
  ];
  if (texts.some((text) => targetsOf(text ?? '').includes(change.chain))) {
    refuse(change, 'something leads to it');
  }
  chains.delete(change.chain);
}

function identity(hook: NftHook | undefined): string {
  return JSON.stringify({ ...hook, policy: 0 });
}

function targetsOf(text: string): string[] {
  return [...text.matchAll(/\b(?:jump|goto) (\S+)/g)].map(([, name = '']) => name);
}

function applyToSet({ chains, sets }: FakeNftTable, change: SetChange): void {
  const set = sets.get(change.set);
  if (change.type === 'add-set') {
    const { key, verdicts = false, interval = false } = change;
    const made = { key, verdicts, interval, elements: new Map<string, string | undefined>() };
    const isOther = (old: FakeNftSet) =>
      JSON.stringify({ ...old, elements: 0 }) !== JSON.stringify({ ...made, elements: 0 });
    if (set && isOther(set)) refuse(change, 'it is there and takes something else');
    if (!set) sets.set(change.set, made);
    return;
  }
  if (!set) refuse(change, 'no such set');
  if (change.type === 'flush-set') {
    set.elements.clear();
  } else if (change.type === 'delete-set') {
    const rules = [...chains.values()].flatMap((chain) => chain.rules);
    if (rules.some((rule) => rule.split(/\s/).includes(`@${change.set}`))) {
      refuse(change, 'a rule uses it');
    }
    sets.delete(change.set);
  } else if (change.type === 'add-elements' || change.type === 'remove-elements') {
    for (const element of change.elements) applyElement({ chains, set, change, element });
  }
}

function applyElement(step: {
  readonly chains: FakeNftTable['chains'];
  readonly set: FakeNftSet;
  readonly change: SetChange;
  readonly element: NftElement;
}): void {
  const { chains, set, change, element } = step;
  const { key, verdict } = element;
  if (change.type === 'remove-elements') {
    if (!set.elements.delete(key)) refuse(change, `no element ${key}`);
    return;
  }
  if ((verdict !== undefined) !== set.verdicts) refuse(change, `element ${key} and its verdict`);
  const isThere = set.elements.has(key);
  if (isThere && set.elements.get(key) !== verdict) refuse(change, `element ${key} is there`);
  for (const name of targetsOf(verdict ?? '')) {
    if (!chains.has(name)) refuse(change, `no chain ${name}`);
  }
  set.elements.set(key, verdict);
}

function refuse(change: NftChange, reason: string): never {
  const what = 'set' in change ? change.set : 'chain' in change ? change.chain : '';
  throw new NftError(`${change.type} ${change.table} ${what}: ${reason}`);
}
