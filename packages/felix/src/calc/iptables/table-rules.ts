import { WORKLOAD_LINK } from '@overland/net';
import { DENIED_GROUP } from '../../flows/denied-group.ts';
import type { HostLinks } from '../host-links.ts';
import type { RuleList } from '../policy/policy-view.ts';
import type { ListId, PolicyState } from '../policy-state.ts';
import { dispatchChains } from './dispatch-chains.ts';
import { hostGuardRules, sourceRules } from './guard-rules.ts';
import { essentialIcmp, type HostChains, HostRenderer } from './host-chains.ts';
import { limitChains, overLimitRules } from './limit-chains.ts';
import { CHAIN, endpointChain, listChain, type Version } from './names.ts';
import { natRules } from './nat-rules.ts';
import { CLEAR, renderEndpoint } from './render-endpoint.ts';
import { renderRule } from './render-rule.ts';
import { comment, hasMark, MARK } from './words.ts';

/** What a table of one IP version should hold of ours; rules without their chain. */
export interface TableRules {
  /** Chains that are wholly ours; what is led to comes before what leads there. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Built-in chain to the rules of ours that come before all others there. */
  readonly before: ReadonlyMap<string, readonly string[]>;
  /** And to those that come after. */
  readonly after: ReadonlyMap<string, readonly string[]>;
}

/** In the order of a packet's way; host endpoints alone need more than `filter`. */
export const TABLES = ['raw', 'mangle', 'nat', 'filter'] as const;
export type PolicyTableName = (typeof TABLES)[number];

/** What differs from the state, for a while. */
export interface Exceptions {
  /** Chains of lists and endpoints that cannot be written as they should: they let nothing through. */
  readonly closed: Iterable<string>;
  /** Interfaces that the state does not have, whose chains in the kernel stay in use. */
  readonly kept: Iterable<string>;
  /** By which host endpoints without an interface are found. */
  readonly links: HostLinks;
}

const NO_EXCEPTIONS: Exceptions = { closed: [], kept: [], links: new Map() };

const CLOSED: readonly string[] = [`${comment('Cannot be programmed: closed')} -j DROP`];
/** Whoever listens is told of what policies deny, so much a second; without a listener the kernel tells nobody. */
const DENIED: readonly string[] = [
  `-m limit --limit 500/sec --limit-burst 500 -j NFLOG --nflog-group ${DENIED_GROUP}`,
  '-j DROP',
];
/** The kernel lets nobody drop anything where addresses are translated. */
const UNTRANSLATED: readonly string[] = [comment('Cannot be programmed: not translated')];

const OWN = `${WORKLOAD_LINK.namePrefix}+`;

/** Renders states, each list of rules once: a state has most of them in common with the one before. */
export class TableRenderer {
  readonly #version: Version;
  readonly #lists = new WeakMap<RuleList, ReadonlyMap<string, readonly string[]>>();

  constructor(version: Version) {
    this.#version = version;
  }

  of(
    state: PolicyState,
    { closed, kept, links }: Exceptions = NO_EXCEPTIONS,
  ): ReadonlyMap<PolicyTableName, TableRules> {
    const { host, lists } = state;
    const renderer = host && new HostRenderer(host, { lists, links, version: this.#version });
    const tables = TABLES.map((table): [PolicyTableName, TableRules] => {
      if (table === 'nat') return [table, natRules(state, this.#version)];
      const own = renderer?.of(table) ?? NO_HOST;
      if (table === 'filter') return [table, this.#filter(state, own, kept)];
      const limits = table === 'mangle' ? limitChains(state) : NO_HOST;
      return [table, this.#early(state, own, limits)];
    });
    return new Map(tables.map(([table, rules]) => [table, withClosed(table, rules, closed)]));
  }

  /** What comes before the table `filter` has chains only where somebody asks. */
  #early(
    { lists }: PolicyState,
    host: HostChains,
    limits: Pick<HostChains, 'chains' | 'entries'>,
  ): TableRules {
    const { policies } = host;
    // Those of the host are about other built-in chains than limits.
    const entries = new Map([...host.entries, ...limits.entries]);
    const asked = policies.flatMap(({ tiers }) => tiers.flatMap((tier) => tier.lists));
    const all = new Map<string, readonly string[]>([
      ...(policies.length > 0 ? [[CHAIN.denied, DENIED] as const] : []),
      ...this.#listChains([...new Set(asked)], lists),
      ...host.chains,
      ...limits.chains,
      ...entries,
    ]);
    return { chains: all, before: leadsTo([...entries.keys()]), after: NOTHING };
  }

  #filter(state: PolicyState, host: HostChains, kept: Iterable<string>): TableRules {
    const { lists, endpoints } = state;
    const maySpoof = state.host?.maySpoof ?? false;
    const chains = new Map([[CHAIN.denied, DENIED], ...this.#listChains(lists.keys(), lists)]);
    const ways = { ingress: new Map<string, string>(), egress: new Map<string, string>() };
    for (const direction of ['ingress', 'egress'] as const) {
      for (const name of kept) ways[direction].set(name, endpointChain(direction, name));
      for (const [name, endpoint] of endpoints) {
        const chain = endpointChain(direction, name);
        const guard = direction === 'egress' ? sourceRules(endpoint, this.#version, maySpoof) : [];
        const limits = overLimitRules(endpoint, direction);
        chains.set(chain, [...guard, ...renderEndpoint(endpoint[direction], lists, limits)]);
        ways[direction].set(name, chain);
      }
    }
    const trees = [
      dispatchChains(CHAIN.fromWorkload, '-i', ways.egress),
      dispatchChains(CHAIN.toWorkload, '-o', ways.ingress),
    ];
    for (const tree of trees) {
      for (const [chain, rules] of [...tree].toReversed()) chains.set(chain, rules);
    }
    for (const [chain, rules] of [...host.chains, ...this.#static(state, host)]) {
      chains.set(chain, rules);
    }
    const output = host.entries.has(CHAIN.output) ? [CHAIN.output] : [];
    return { chains, before: leadsTo([CHAIN.input, CHAIN.forward, ...output]), after: AFTER };
  }

  #static({ host }: PolicyState, { chains, entries }: HostChains): [string, readonly string[]][] {
    const output = entries.get(CHAIN.output);
    const through = [CHAIN.fromHostForward, CHAIN.toHostForward].filter((one) => chains.has(one));
    return [
      [
        CHAIN.workloadToHost,
        [
          ...hostGuardRules(this.#version),
          ...essentialIcmp(this.#version, 'RETURN'),
          `-j ${CHAIN.fromWorkload}`,
          `${comment('Configured DefaultEndpointToHostAction')} -j ${TO_HOST[host?.endpointToHost ?? 'Return']}`,
        ],
      ],
      [CHAIN.input, [`-i ${OWN} -g ${CHAIN.workloadToHost}`, ...(entries.get(CHAIN.input) ?? [])]],
      [
        CHAIN.forward,
        [
          // What others may have marked with our bits is not our word.
          CLEAR,
          // What a workload's policy says is said last: it is what counts in the end.
          ...through.map((chain) => `-j ${chain}`),
          `-i ${OWN} -j ${CHAIN.fromWorkload}`,
          `-o ${OWN} -j ${CHAIN.toWorkload}`,
        ],
      ],
      ...(output ? [[CHAIN.output, output] as [string, readonly string[]]] : []),
    ];
  }

  #listChains(ids: Iterable<ListId>, lists: PolicyState['lists']): [string, readonly string[]][] {
    return [...ids].flatMap((id): [string, readonly string[]][] => {
      const list = lists.get(id);
      return list && list.missing === undefined ? [[listChain(id), this.#list(id, list)]] : [];
    });
  }

  #list(id: ListId, list: RuleList): readonly string[] {
    const chain = listChain(id);
    const known = this.#lists.get(list)?.get(chain);
    if (known) return known;
    const rendered = list.rules.flatMap((rule, i) =>
      renderRule(rule, `${list.name} ${i + 1}`, this.#version),
    );
    // A chain without rules would have nothing that tells whose it is.
    const rules = rendered.length > 0 ? rendered : [comment(`${list.name}: no rules`)];
    this.#lists.set(list, new Map(this.#lists.get(list)).set(chain, rules));
    return rules;
  }
}

const TO_HOST = { Drop: 'DROP', Accept: 'ACCEPT', Return: 'RETURN' } as const;
const NOTHING: ReadonlyMap<string, readonly string[]> = new Map();

const NO_HOST: HostChains = { chains: NOTHING, entries: NOTHING, policies: [] };

function withClosed(
  table: PolicyTableName,
  rules: TableRules,
  closed: Iterable<string>,
): TableRules {
  const chains = new Map(rules.chains);
  const instead = table === 'nat' ? UNTRANSLATED : CLOSED;
  for (const chain of closed) if (chains.has(chain)) chains.set(chain, instead);
  return { ...rules, chains };
}

/** Rules of built-in chains: `cali-INPUT` is led to from `INPUT`. */
function leadsTo(chains: readonly string[]): Map<string, readonly string[]> {
  return new Map(chains.map((chain) => [chain.slice('cali-'.length), [`-j ${chain}`]]));
}

const AFTER = new Map([
  [
    'FORWARD',
    [`${comment('Policy explicitly accepted packet.')} ${hasMark(MARK.accept)} -j ACCEPT`],
  ],
]);
