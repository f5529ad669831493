import { familyOf, WORKLOAD_LINK } from '@overland/net';
import type { HostFilter, HostPlacePolicy } from '../host-filter.ts';
import { EVERY, type HostLinks, policiesByLink, policyAt } from '../host-links.ts';
import { ESSENTIAL_ICMPV6 } from '../policy/essential-icmpv6.ts';
import type { FailsafePort } from '../policy/host-rules.ts';
import type { Direction, PolicyHook } from '../policy/policy-view.ts';
import type { PolicyState } from '../policy-state.ts';
import { CHAIN, limited, type Version } from './names.ts';
import { CLEAR, INVALID_DROP, renderProfiles, renderTiers } from './render-endpoint.ts';
import { clearMark, comment, hasMark, MARK, setMark } from './words.ts';

/** A place at which packets of the host meet policies. */
interface Place {
  readonly table: HostTable;
  readonly hook: PolicyHook;
  readonly direction: Direction;
  /** The chain that leads to those of interfaces. */
  readonly chain: string;
  /** What names of those begin with. */
  readonly prefix: string;
}

export type HostTable = 'raw' | 'mangle' | 'filter';

const from = { direction: 'ingress', chain: CHAIN.fromHost, prefix: 'cali-fh-' } as const;
const to = { direction: 'egress', chain: CHAIN.toHost, prefix: 'cali-th-' } as const;
const through = { table: 'filter', hook: 'forward' } as const;
/** In the order of a packet's way. */
const PLACES: readonly Place[] = [
  { table: 'raw', hook: 'untracked', ...from },
  { table: 'mangle', hook: 'preDNAT', ...from },
  { table: 'filter', hook: 'normal', ...from },
  { ...through, ...from, chain: CHAIN.fromHostForward, prefix: 'cali-fhfw-' },
  { ...through, ...to, chain: CHAIN.toHostForward, prefix: 'cali-thfw-' },
  { table: 'raw', hook: 'untracked', ...to },
  { table: 'filter', hook: 'normal', ...to },
];

const FAILSAFE = { ingress: CHAIN.failsafeIn, egress: CHAIN.failsafeOut } as const;
const IS_ESTABLISHED = '-m conntrack --ctstate RELATED,ESTABLISHED';
const IS_ACCEPTED = hasMark(MARK.accept);
const OWN = `${WORKLOAD_LINK.namePrefix}+`;

/** What the host's own endpoints need in one table; what is led to comes first. */
export interface HostChains {
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Rules for the chains that built-in ones lead to, by their names. */
  readonly entries: ReadonlyMap<string, readonly string[]>;
  /** Lists that are asked here. */
  readonly policies: readonly HostPlacePolicy['policy'][];
}

/** Chains of the host's own endpoints: none at places where nobody asks. calico.md section 5.2. */
export class HostRenderer {
  readonly #host: HostFilter;
  readonly #lists: PolicyState['lists'];
  readonly #version: Version;
  readonly #byLink: ReadonlyMap<string, readonly HostPlacePolicy[]>;
  readonly #asked: readonly Place[];

  /** @param links By which endpoints without an interface are found. */
  constructor(
    host: HostFilter,
    { lists, links, version }: { lists: PolicyState['lists']; links: HostLinks; version: Version },
  ) {
    this.#host = host;
    this.#lists = lists;
    this.#version = version;
    this.#byLink = new Map([...policiesByLink(host, links)].filter(([link]) => isUsable(link)));
    this.#asked = PLACES.filter((place) =>
      [...this.#byLink.values()].some((all) => policyAt(place, all)),
    );
  }

  of(table: HostTable): HostChains {
    const chains = new Map<string, readonly string[]>();
    const entries = new Map<string, readonly string[]>();
    const policies: HostPlacePolicy['policy'][] = [];
    const places = this.#asked.filter((place) => place.table === table);
    for (const direction of new Set(places.map((place) => place.direction))) {
      chains.set(FAILSAFE[direction], this.#failsafe(direction, table === 'raw'));
    }
    for (const place of places) {
      const dispatch: string[] = [];
      const option = place.direction === 'ingress' ? '-i' : '-o';
      let others: string[] = [];
      for (const [link, all] of this.#byLink) {
        const found = policyAt(place, all);
        const chain = limited(place.prefix, link === EVERY ? ANY_INTERFACE : link);
        if (found) {
          chains.set(chain, this.#place(found));
          policies.push(found.policy);
        }
        if (link === EVERY) others = found ? [`-g ${chain}`] : [];
        // Also where nobody asks: what is for every interface is not for one with an endpoint of its own.
        else dispatch.push(`${option} ${link} ${found ? `-g ${chain}` : '-j RETURN'}`);
      }
      chains.set(place.chain, [...this.#conditions(place, option), ...dispatch, ...others]);
      const entry = ENTRIES[place.table][place.direction];
      // Of forwarded packets, the table's own chain knows when they are asked.
      if (place.hook !== 'forward') entries.set(entry, this.#entry(place));
    }
    return { chains, entries, policies };
  }

  /** Places before connections are known, or before DNAT, of a direction. */
  #early(direction: Direction): Place[] {
    return this.#asked.filter(
      ({ hook, direction: own }) =>
        own === direction && (hook === 'untracked' || hook === 'preDNAT'),
    );
  }

  #entry(place: Place): string[] {
    const { hook, direction, chain } = place;
    const isFirst = this.#early(direction)[0] === place;
    const setEarly = `${IS_ACCEPTED} ${setMark(MARK.early)}`;
    const decided = {
      untracked: [setEarly, `${IS_ACCEPTED} -j CT --notrack`],
      preDNAT: [setEarly],
      normal: [`${comment('Host endpoint policy accepted packet.')} ${IS_ACCEPTED} -j ACCEPT`],
      forward: [],
    };
    return [isFirst ? clearMark(MARK.early) : '', CLEAR, `-j ${chain}`, ...decided[hook]].filter(
      (rule) => rule !== '',
    );
  }

  /** Who is not asked at a place. */
  #conditions({ hook, direction, chain, ...place }: Place, option: '-i' | '-o'): string[] {
    const isAfterEarly = this.#early(direction).some((one) => one.table !== place.table);
    const passes = (match: string) => [`${match} ${setMark(MARK.accept)}`, `${match} -j RETURN`];
    return [
      // Packets of workloads, and of the host to itself, are none of a host endpoint's business.
      `${option} lo -j RETURN`,
      `${option} ${OWN} -j RETURN`,
      // What comes from the host and goes out through a forward chain has met no early policy on this side.
      ...(isAfterEarly && hook !== 'untracked' && chain !== CHAIN.toHostForward
        ? passes(hasMark(MARK.early))
        : []),
      ...(hook === 'untracked' ? [] : passes(IS_ESTABLISHED)),
    ];
  }

  /** The chain of an endpoint at a place: it returns what may go on, and drops the rest. */
  #place({ hook, direction, policy: { tiers, profiles } }: HostPlacePolicy): string[] {
    const failsafe = `-j ${FAILSAFE[direction]}`;
    switch (hook) {
      case 'untracked':
      case 'preDNAT':
        return [failsafe, CLEAR, ...renderTiers(tiers, this.#lists, false)];
      case 'normal': {
        const asked = [
          ...renderTiers(tiers, this.#lists),
          ...renderProfiles(profiles, this.#lists),
        ];
        return [failsafe, INVALID_DROP, CLEAR, ...asked];
      }
      case 'forward':
        return [INVALID_DROP, CLEAR, ...renderTiers(tiers, this.#lists)];
    }
  }

  /** @param isUntracked Answers of failsafe ports of the other direction are not seen as such. */
  #failsafe(direction: Direction, isUntracked: boolean): string[] {
    const { failsafe } = this.#host;
    const other = direction === 'ingress' ? 'egress' : 'ingress';
    const ports = (all: readonly FailsafePort[], end: 'source' | 'destination') =>
      all.flatMap((port) => this.#port(port, direction, end));
    return [
      ...essentialIcmp(this.#version, 'ACCEPT'),
      ...ports(failsafe[direction], 'destination'),
      ...(isUntracked ? ports(failsafe[other], 'source') : []),
    ];
  }

  #port(
    { protocol, port, net }: FailsafePort,
    direction: Direction,
    end: 'source' | 'destination',
  ): string[] {
    if (net !== undefined && familyOf(net) !== `ipv${this.#version}`) return [];
    const peer = net === undefined ? '' : `${direction === 'ingress' ? '-s' : '-d'} ${net} `;
    return [`-p ${protocol} ${peer}-m multiport --${end}-ports ${port} -j ACCEPT`];
  }
}

/** Calico's name for what is for all interfaces. */
const ANY_INTERFACE = 'any-interface-at-all';

const ENTRIES = {
  raw: { ingress: CHAIN.prerouting, egress: CHAIN.output },
  mangle: { ingress: CHAIN.prerouting, egress: CHAIN.output },
  filter: { ingress: CHAIN.input, egress: CHAIN.output },
} as const;

/** Lines for ICMPv6 without which no address is reachable; none for IPv4. */
export function essentialIcmp(version: Version, target: 'ACCEPT' | 'RETURN'): string[] {
  if (version === 4) return [];
  return ESSENTIAL_ICMPV6.map((type) => `-p 58 -m icmp6 --icmpv6-type ${type} -j ${target}`);
}

/** Whether iptables takes an interface's name as that name: `+` at its end would stand for anything. */
function isUsable(link: string): boolean {
  return link === EVERY || /^[A-Za-z0-9_][\w.@:-]*$/.test(link);
}
