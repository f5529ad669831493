import { WORKLOAD_LINK } from '@overland/net';
import type { RuleList } from '../policy/policy-view.ts';
import type { ListId, PolicyState } from '../policy-state.ts';
import { dispatchChains } from './dispatch-chains.ts';
import { CHAIN, endpointChain, listChain, type Version } from './names.ts';
import { renderEndpoint } from './render-endpoint.ts';
import { renderRule } from './render-rule.ts';
import { clearMark, comment, hasMark, MARK } from './words.ts';

/** What the table `filter` of one IP version should hold of ours; rules without their chain. */
export interface FilterTable {
  /** Chains that are wholly ours. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Built-in chain to the rules of ours that come before all others there. */
  readonly before: ReadonlyMap<string, readonly string[]>;
  /** And to those that come after. */
  readonly after: ReadonlyMap<string, readonly string[]>;
}

/** Router and neighbour solicitations, advertisements, and multicast listeners: without them there is no IPv6. */
const ESSENTIAL_ICMPV6 = [130, 131, 132, 133, 135, 136];

const OWN = `${WORKLOAD_LINK.namePrefix}+`;

/** Renders lists of rules, each once: a state has most of them in common with the one before. */
export class FilterTables {
  readonly #version: Version;
  readonly #lists = new WeakMap<RuleList, ReadonlyMap<string, readonly string[]>>();

  constructor(version: Version) {
    this.#version = version;
  }

  of({ lists, endpoints }: PolicyState): FilterTable {
    const chains = new Map<string, readonly string[]>(this.#static());
    for (const [id, list] of lists) {
      if (list.missing === undefined) chains.set(listChain(id), this.#list(id, list));
    }
    const ways = { ingress: new Map<string, string>(), egress: new Map<string, string>() };
    for (const [interfaceName, endpoint] of endpoints) {
      for (const direction of ['ingress', 'egress'] as const) {
        const chain = endpointChain(direction, interfaceName);
        chains.set(chain, renderEndpoint(endpoint[direction], lists));
        ways[direction].set(interfaceName, chain);
      }
    }
    const trees = [
      dispatchChains(CHAIN.fromWorkload, '-i', ways.egress),
      dispatchChains(CHAIN.toWorkload, '-o', ways.ingress),
    ];
    for (const [chain, rules] of trees.flatMap((tree) => [...tree])) chains.set(chain, rules);
    return { chains, before: BEFORE, after: AFTER };
  }

  #static(): [string, readonly string[]][] {
    const essential = this.#version === 4 ? [] : ESSENTIAL_ICMPV6;
    return [
      [CHAIN.input, [`-i ${OWN} -g ${CHAIN.workloadToHost}`]],
      [
        CHAIN.forward,
        [
          // What others may have marked with our bits is not our word.
          clearMark(MARK.accept | MARK.pass),
          `-i ${OWN} -j ${CHAIN.fromWorkload}`,
          `-o ${OWN} -j ${CHAIN.toWorkload}`,
        ],
      ],
      [
        CHAIN.workloadToHost,
        [
          ...essential.map((type) => `-p 58 -m icmp6 --icmpv6-type ${type} -j RETURN`),
          `-j ${CHAIN.fromWorkload}`,
        ],
      ],
    ];
  }

  #list(id: ListId, list: RuleList): readonly string[] {
    const chain = listChain(id);
    const known = this.#lists.get(list)?.get(chain);
    if (known) return known;
    const rules = list.rules.flatMap((rule, i) =>
      renderRule(rule, `${list.name} ${i + 1}`, this.#version),
    );
    this.#lists.set(list, new Map(this.#lists.get(list)).set(chain, rules));
    return rules;
  }
}

const BEFORE = new Map([
  ['INPUT', [`-j ${CHAIN.input}`]],
  ['FORWARD', [`-j ${CHAIN.forward}`]],
]);

const AFTER = new Map([
  [
    'FORWARD',
    [`${comment('Policy explicitly accepted packet.')} ${hasMark(MARK.accept)} -j ACCEPT`],
  ],
]);
