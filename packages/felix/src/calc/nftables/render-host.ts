import type { NftElement, NftHook } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';
import type { HostFilter, HostPlacePolicy } from '../host-filter.ts';
import { EVERY, type HostLinks, policiesByLink, policyAt } from '../host-links.ts';
import type { Direction, PolicyHook } from '../policy/policy-view.ts';
import type { NftChainObject, NftObjects, NftSetObject } from './nft-objects.ts';
import { CLEAR, renderProfiles, renderTiers } from './render-endpoint.ts';
import { IS_ESSENTIAL_ICMPV6, renderFailsafe, renderFailsafeAnswers } from './render-failsafe.ts';
import { ACCEPT_MARK, hex, PASS_MARK } from './render-rule.ts';

/** Mark bit of packets that an early policy has allowed: later places of the host ask no more. Calico's third. */
const EARLY_MARK = 0x40000;

const IF_ACCEPTED = `meta mark and ${hex(ACCEPT_MARK)} == ${hex(ACCEPT_MARK)}`;
const IF_EARLY = `meta mark and ${hex(EARLY_MARK)} == ${hex(EARLY_MARK)}`;
const CLEAR_ALL = `meta mark set meta mark and ${hex(~(ACCEPT_MARK | PASS_MARK | EARLY_MARK))}`;
const SET_EARLY = `meta mark set meta mark or ${hex(EARLY_MARK)}`;
const ESTABLISHED = 'ct state established,related return';
const WORKLOADS = `"${WORKLOAD_LINK.namePrefix}*"`;

/** A place at which packets of the host meet policies. */
interface Place {
  readonly hook: PolicyHook;
  readonly direction: Direction;
  /** Of its base chain, and the begin of the names of what that leads to. */
  readonly name: string;
  readonly at: NftHook;
}

const at = (hook: NftHook['hook'], priority: number): { readonly at: NftHook } => {
  return { at: { type: 'filter', hook, priority, policy: 'accept' } };
};
const [RAW, MANGLE, FILTER] = [-300, -150, 0];
/** In the order of a packet's way. */
const PLACES: readonly Place[] = [
  { hook: 'untracked', direction: 'ingress', name: 'untracked-in', ...at('prerouting', RAW) },
  { hook: 'preDNAT', direction: 'ingress', name: 'prednat-in', ...at('prerouting', MANGLE) },
  { hook: 'normal', direction: 'ingress', name: 'host-in', ...at('input', FILTER) },
  { hook: 'forward', direction: 'ingress', name: 'forward-in', ...at('forward', FILTER) },
  { hook: 'forward', direction: 'egress', name: 'forward-out', ...at('forward', FILTER) },
  { hook: 'untracked', direction: 'egress', name: 'untracked-out', ...at('output', RAW) },
  { hook: 'normal', direction: 'egress', name: 'host-out', ...at('output', FILTER) },
];

const FAILSAFE = { ingress: 'failsafe-in', egress: 'failsafe-out' } as const;
const FAILSAFE_ANSWERS = {
  ingress: 'failsafe-answers-in',
  egress: 'failsafe-answers-out',
} as const;

/**
 * Chains of the host itself, each place at a hook of its own: where no policy is asked no packet pays for it.
 * calico.md section 5.2.
 *
 * @param links By which endpoints without an interface are found.
 */
export function renderHost(host: HostFilter, links: HostLinks = new Map()): NftObjects {
  const sets = new Map<string, NftSetObject>();
  const chains = new Map<string, NftChainObject>();
  const byLink = policiesByLink(host, links);
  const asked = PLACES.filter((place) => [...byLink.values()].some((all) => policyAt(place, all)));
  if (asked.length > 0) {
    for (const direction of ['ingress', 'egress'] as const) {
      chains.set(FAILSAFE[direction], { rules: renderFailsafe(host, direction) });
      chains.set(FAILSAFE_ANSWERS[direction], { rules: renderFailsafeAnswers(host, direction) });
    }
  }
  for (const place of asked) {
    const elements: NftElement[] = [];
    let others: string | undefined;
    for (const [link, policies] of byLink) {
      const found = policyAt(place, policies);
      const chain = found && `${place.name}/${link === EVERY ? 'every' : `link-${link}`}`;
      if (chain) chains.set(chain, { rules: renderPlace(found) });
      if (link === EVERY) others = chain;
      // Also where nobody asks: what is for every interface is not for one with an endpoint of its own.
      else elements.push({ key: link, verdict: chain ? `goto ${chain}` : 'return' });
    }
    const match = place.direction === 'ingress' ? 'iifname' : 'oifname';
    sets.set(place.name, { key: ['ifname'], verdicts: true, elements });
    chains.set(`${place.name}/dispatch`, {
      rules: [`${match} vmap @${place.name}`, ...(others ? [`goto ${others}`] : [])],
    });
    chains.set(place.name, { hook: place.at, rules: renderBase(place, match, asked) });
  }
  if (host.endpointToHost === 'Drop') {
    const [{ at }] = PLACES.filter(({ name }) => name === 'host-in') as [Place];
    chains.set('workload-to-host', { hook: at, rules: WORKLOAD_TO_HOST });
  }
  return { sets, chains };
}

/** The same host with all closed but failsafe ports, at places that every kernel has. */
export function closedHost(host: HostFilter): HostFilter {
  const tiers = [{ name: 'closed', defaultAction: 'Deny', lists: [] }] as const;
  const places = PLACES.filter(({ hook }) => hook === 'normal' || hook === 'forward').map(
    ({ hook, direction }): HostPlacePolicy => {
      return { hook, direction, policy: { tiers, profiles: [] } };
    },
  );
  return { ...host, endpoints: host.endpoints.map((endpoint) => ({ ...endpoint, places })) };
}

/** Answers to what the host has asked a workload pass, and what IPv6 needs. */
const WORKLOAD_TO_HOST = [
  `iifname != ${WORKLOADS} return`,
  ESTABLISHED,
  `${IS_ESSENTIAL_ICMPV6} return`,
  'drop',
];

function renderBase(place: Place, match: string, asked: readonly Place[]): string[] {
  const { hook, direction, name } = place;
  const early = asked.filter(
    (one) => one.direction === direction && (one.hook === 'untracked' || one.hook === 'preDNAT'),
  );
  const decided = {
    untracked: [`${IF_ACCEPTED} ${SET_EARLY} notrack`],
    preDNAT: [`${IF_ACCEPTED} ${SET_EARLY}`],
    normal: [],
    forward: [],
  };
  // What comes from the host and goes out through a forward chain has met no early policy on this side.
  const isAfterEarly = early.some((one) => one !== place) && name !== 'forward-out';
  return [
    // Packets of workloads, and of the host to itself, are none of a host endpoint's business.
    `${match} "lo" return`,
    `${match} ${WORKLOADS} return`,
    ...(early[0] === place ? [CLEAR_ALL] : []),
    ...(early[0] !== place && isAfterEarly ? [`${IF_EARLY} return`] : []),
    ...(hook === 'untracked' ? [] : [ESTABLISHED]),
    `jump ${name}/dispatch`,
    ...decided[hook],
  ];
}

/** The chain of an endpoint at a place: it returns what may go on, and drops the rest. */
function renderPlace({ hook, direction, policy }: HostPlacePolicy): string[] {
  const { tiers, profiles } = policy;
  const failsafe = `jump ${FAILSAFE[direction]}`;
  switch (hook) {
    case 'untracked':
      return [failsafe, `jump ${FAILSAFE_ANSWERS[direction]}`, CLEAR, ...renderTiers(tiers, false)];
    case 'preDNAT':
      return [failsafe, CLEAR, ...renderTiers(tiers, false)];
    case 'normal':
      return [
        failsafe,
        'ct state invalid drop',
        CLEAR,
        ...renderTiers(tiers),
        ...renderProfiles(profiles),
      ];
    case 'forward':
      return ['ct state invalid drop', CLEAR, ...renderTiers(tiers)];
  }
}
