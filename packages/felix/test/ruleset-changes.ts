import type { NftChange, NftHook, NftKeyType } from '@overland/linux';
import { DisjointNets } from '../src/calc/nftables/disjoint-nets.ts';

const HEAD = /^(table|set|map|chain) (.+) \{$/;
const HOOK = /^type (\w+) hook (\w+) priority (\S+); policy (\w+);$/;
const PRIORITY: Readonly<Record<string, number>> = { filter: 0 };

interface Block {
  readonly kind: string;
  readonly name: string;
  readonly lines: string[];
}

/** A ruleset that `renderRuleset` has made for `nft -f`, as the changes of one transaction that makes the table anew. */
export function rulesetChanges(ruleset: string): NftChange[] {
  const blocks: Block[] = [];
  for (const line of ruleset.split('\n').map((text) => text.trim())) {
    const [, kind, name] = HEAD.exec(line) ?? [];
    if (kind !== undefined && name !== undefined) blocks.push({ kind, name, lines: [] });
    else if (line !== '' && line !== '}') blocks.at(-1)?.lines.push(line);
  }
  const table = blocks.find(({ kind }) => kind === 'table')?.name ?? '';
  const chains = blocks.filter(({ kind }) => kind === 'chain');
  const sets = blocks.filter(({ kind }) => kind === 'set' || kind === 'map');
  const isHook = (line: string) => HOOK.test(line);
  return [
    { type: 'add-table', table },
    { type: 'delete-table', table },
    { type: 'add-table', table },
    ...sets.map((block) => setChange(table, block)),
    ...chains.map(({ name: chain, lines }): NftChange => {
      const hook = lines.find(isHook);
      return { type: 'add-chain', table, chain, ...(hook && { hook: hookOf(hook) }) };
    }),
    ...chains.flatMap(({ name: chain, lines }) =>
      lines
        .filter((line) => !isHook(line))
        .map((rule): NftChange => ({ type: 'add-rule', table, chain, rule })),
    ),
    ...sets.map((block) => elementsChange(table, block)),
  ];
}

function setChange(table: string, { kind, name, lines }: Block): NftChange {
  const type = lines.find((line) => line.startsWith('type '))?.slice('type '.length) ?? '';
  return {
    type: 'add-set',
    table,
    set: name,
    key: type.split(' : ')[0]?.split(' . ') as NftKeyType[],
    verdicts: kind === 'map',
    interval: lines.some((line) => line.startsWith('flags interval')),
  };
}

function elementsChange(table: string, { name, lines }: Block): NftChange {
  const text = lines.find((line) => line.startsWith('elements'));
  const keys = text === undefined ? [] : text.replace(/^.*\{ | \}$/g, '').split(', ');
  const isInterval = lines.includes('flags interval');
  const elements = (isInterval ? new DisjointNets(keys).elements() : keys).map((element) => {
    const [key = '', verdict] = element.replaceAll('"', '').split(' : ');
    return { key, ...(verdict !== undefined && { verdict }) };
  });
  return { type: 'add-elements', table, set: name, elements };
}

function hookOf(line: string): NftHook {
  const [, type, hook, priority = '', policy] = HOOK.exec(line) ?? [];
  return { type, hook, priority: PRIORITY[priority] ?? Number(priority), policy } as NftHook;
}
