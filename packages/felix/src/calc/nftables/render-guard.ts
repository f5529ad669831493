import type { NftElement, NftHook, NftSetSpec } from '@overland/linux';
import { familyOf, WORKLOAD_LINK } from '@overland/net';
import type { EndpointFilter, PolicyState } from '../policy-state.ts';
import type { NftChainObject, NftObjects, NftSetObject } from './nft-objects.ts';

const WORKLOADS = `"${WORKLOAD_LINK.namePrefix}*"`;
const AT: NftHook = { type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept' };

const SETS = {
  'workload-sources-v4': { key: ['ifname', 'ipv4_addr'] },
  'workload-sources-v6': { key: ['ifname', 'ipv6_addr'] },
  'workload-macs': { key: ['ifname', 'ether_addr'] },
  /** Interfaces whose workload has a MAC address that is known. */
  'checked-macs': { key: ['ifname'] },
  'further-sources': { key: ['ifname'], verdicts: true },
} as const satisfies Record<string, NftSetSpec>;

type GuardSet = keyof typeof SETS;

/**
 * What comes from a workload has an address of its own: before connections are tracked, and before any policy. Without
 * an address yet it may ask for one (DHCP), and see whether one is taken (RFC 4862). Link-local addresses go no further
 * than this host. It is no router: what would give its host a route is dropped.
 */
const RULES = [
  `iifname != ${WORKLOADS} return`,
  'iifname @checked-macs iifname . ether saddr != @workload-macs drop',
  // Its interface may route to the host's 127/8, for ports of the host; the workload may not.
  'ip daddr 127.0.0.0/8 drop',
  'iifname . ip saddr @workload-sources-v4 return',
  'icmpv6 type { 134, 137 } drop',
  'iifname . ip6 saddr @workload-sources-v6 return',
  'ip6 saddr fe80::/10 return',
  'ip6 saddr :: icmpv6 type { 131, 132, 133, 135, 143 } return',
  'ip saddr 0.0.0.0 udp sport 68 udp dport 67 return',
  'iifname vmap @further-sources',
  'drop',
];

const CHAIN = 'workload-sources';

/** Chains and sets that keep workloads from pretending to be somebody else. */
export function renderGuard({ endpoints, host }: PolicyState): NftObjects {
  const elements = new Map<GuardSet, NftElement[]>();
  const chains = new Map<string, NftChainObject>();
  const add = (set: GuardSet, element: NftElement): void => {
    const own = elements.get(set);
    if (own) own.push(element);
    else elements.set(set, [element]);
  };
  for (const [interfaceName, filter] of endpoints) {
    for (const [set, key] of ownSources(interfaceName, filter)) add(set, { key });
    const further = host?.maySpoof ? (filter.guard?.spoofable ?? []) : [];
    if (further.length === 0) continue;
    const chain = `${CHAIN}/${interfaceName}`;
    const rules = further.map((prefix) => `${addressOf(familyOf(prefix))} ${prefix} accept`);
    chains.set(chain, { rules });
    add('further-sources', { key: interfaceName, verdict: `jump ${chain}` });
  }
  const sets = Object.entries(SETS).map(([name, spec]): [string, NftSetObject] => [
    name,
    { ...spec, elements: elements.get(name as GuardSet) ?? [] },
  ]);
  return { sets: new Map(sets), chains: chains.set(CHAIN, { hook: AT, rules: RULES }) };
}

function ownSources(
  interfaceName: string,
  { addresses, guard }: EndpointFilter,
): (readonly [GuardSet, string])[] {
  const mac = guard?.mac;
  return [
    ...addresses.map((address) => {
      const set = `workload-sources-${familyOf(address) === 'ipv4' ? 'v4' : 'v6'}` as const;
      return [set, `${interfaceName} . ${address}`] as const;
    }),
    ...(mac === undefined
      ? []
      : ([
          ['workload-macs', `${interfaceName} . ${mac}`],
          ['checked-macs', interfaceName],
        ] as const)),
  ];
}

function addressOf(family: 'ipv4' | 'ipv6'): string {
  return family === 'ipv4' ? 'ip saddr' : 'ip6 saddr';
}
