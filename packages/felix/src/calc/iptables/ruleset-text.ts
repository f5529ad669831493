import type { PolicyState } from '../policy-state.ts';
import { addressSetOf } from './address-set.ts';
import { setName, type Version } from './names.ts';
import { TableRenderer, type TableRules } from './table-rules.ts';

const VERSIONS = [4, 6] as const satisfies readonly Version[];

/** The sets as a file for `ipset restore`, and the tables as files for `iptables-restore` and `ip6tables-restore`. */
export interface IptablesText {
  readonly sets: string;
  readonly tables: Readonly<Record<Version, string>>;
}

/** What enforces a state on hosts that live on iptables. With `--noflush`, other rules of the host stay. */
export function iptablesText(state: PolicyState): IptablesText {
  const sets = [...state.sets].flatMap(([id, set]) =>
    VERSIONS.flatMap((version) => {
      const name = setName(id, version);
      const { type, members } = addressSetOf(set, version);
      const head = `create ${name} ${type} family inet${version === 4 ? '' : '6'}`;
      return [head, ...Array.from(members, (member) => `add ${name} ${member}`)];
    }),
  );
  const text = (version: Version) =>
    [...new TableRenderer(version).of(state)]
      .map(([table, rules]) => tableText(table, rules))
      .join('');
  return { sets: lines(sets), tables: { 4: text(4), 6: text(6) } };
}

function tableText(table: string, { chains, before, after }: TableRules): string {
  if (chains.size === 0) return '';
  const appended = [...chains, ...after];
  return lines([
    `*${table}`,
    ...Array.from(chains.keys(), (chain) => `:${chain} - [0:0]`),
    ...appended.flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
    ...[...before].flatMap(([chain, rules]) =>
      rules.map((rule, i) => `-I ${chain} ${i + 1} ${rule}`),
    ),
    'COMMIT',
  ]);
}

function lines(text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}
