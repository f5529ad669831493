import type { NftElement, NftHook, NftSetSpec } from '@overland/linux';
import { familyOf, WORKLOAD_LINK } from '@overland/net';
import type { EndpointFilter } from '../policy-state.ts';
import type { NftChainObject, NftSetObject } from './nft-objects.ts';

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

/** The sets without elements, and the chain that asks them: what is there however many workloads there are. */
export const GUARD_SETS: readonly (readonly [string, NftSetObject])[] = Object.entries(SETS).map(
  ([name, spec]) => [name, { ...spec, elements: [] }],
);
export const GUARD_CHAINS: readonly (readonly [string, NftChainObject])[] = [
  [CHAIN, { hook: AT, rules: RULES }],
];

/** What stands for an endpoint in {@link GUARD_SETS}. @param maySpoof Whether it may have further source addresses. */
export function guardElements(
  interfaceName: string,
  filter: EndpointFilter,
  maySpoof: boolean,
): (readonly [set: GuardSet, element: NftElement])[] {
  const { addresses, guard } = filter;
  const mac = guard?.mac;
  return [
    ...addresses.map((address) => {
      const set = `workload-sources-${familyOf(address) === 'ipv4' ? 'v4' : 'v6'}` as const;
      return [set, { key: `${interfaceName} . ${address}` }] as const;
    }),
    ...(mac === undefined
      ? []
      : ([
          ['workload-macs', { key: `${interfaceName} . ${mac}` }],
          ['checked-macs', { key: interfaceName }],
        ] as const)),
    ...guardChains(interfaceName, filter, maySpoof).map(
      ([chain]) => ['further-sources', { key: interfaceName, verdict: `jump ${chain}` }] as const,
    ),
  ];
}

/** The chain with further source addresses of an endpoint, if it may have any. */
export function guardChains(
  interfaceName: string,
  { guard }: EndpointFilter,
  maySpoof: boolean,
): (readonly [string, NftChainObject])[] {
  const further = maySpoof ? (guard?.spoofable ?? []) : [];
  if (further.length === 0) return [];
  const rules = further.map((prefix) => {
    const ip = familyOf(prefix) === 'ipv4' ? 'ip' : 'ip6';
    return `${ip} saddr ${prefix} accept`;
  });
  return [[furtherSourcesChain(interfaceName), { rules }]];
}

export function furtherSourcesChain(interfaceName: string): string {
  return `${CHAIN}/${interfaceName}`;
}
