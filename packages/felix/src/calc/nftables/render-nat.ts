import type { NftElement, NftHook } from '@overland/linux';
import { familyOf, WORKLOAD_LINK } from '@overland/net';
import {
  type FloatingForward,
  floatingForwardsOf,
  type PortForward,
  portForwardsOf,
} from '../address-translation.ts';
import type { OutgoingNat } from '../outgoing-nat.ts';
import type { PolicyState } from '../policy-state.ts';
import { DisjointNets } from './disjoint-nets.ts';
import type { NftChainObject, NftObjects, NftSetObject } from './nft-objects.ts';

const IP = { 4: 'ip', 6: 'ip6' } as const;
const WORKLOADS = `"${WORKLOAD_LINK.namePrefix}*"`;
const at = (hook: NftHook['hook'], priority: number): NftHook => {
  return { type: 'nat', hook, priority, policy: 'accept' };
};

/** TCP and UDP: those whose ports are chosen. */
const WITH_PORTS = [6, 17];

/**
 * Address translation: other addresses and ports of the host that lead to workloads, and the address under which
 * workloads reach what is outside. Where there is nothing to translate there is no chain.
 */
export function renderNat(state: PolicyState): NftObjects {
  const floating = floatingForwardsOf(state).map(floatingRule);
  const ports = portForwardsOf(state).map(portRule);
  const leave = [...floating, ...ports].map(({ back }) => back);
  const chains = new Map<string, NftChainObject>();
  const sets = new Map<string, NftSetObject>();
  if (floating.length > 0) chains.set('floating', { rules: floating.map(({ to }) => to) });
  if (ports.length > 0) chains.set('host-ports', { rules: ports.map(({ to }) => to) });
  const arrive = [
    ...(floating.length > 0 ? ['jump floating'] : []),
    ...(ports.length > 0 ? ['fib daddr type local jump host-ports'] : []),
  ];
  if (arrive.length > 0) {
    chains.set('nat-prerouting', { hook: at('prerouting', -100), rules: arrive });
    chains.set('nat-output', { hook: at('output', -100), rules: arrive });
  }
  if (ports.length > 0) {
    // The host's own programs, at a port of localhost: no answer would come back to that.
    leave.push(`oifname ${WORKLOADS} ip saddr 127.0.0.0/8 masquerade`);
  }
  const outgoingNat = state.host?.outgoingNat;
  if (outgoingNat) {
    for (const [name, set] of outgoingSets(outgoingNat)) sets.set(name, set);
    leave.push(...outgoingRules(outgoingNat));
  }
  if (leave.length > 0) {
    chains.set('nat-postrouting', { hook: at('postrouting', 100), rules: [...new Set(leave)] });
  }
  return { sets, chains };
}

interface Translation {
  readonly to: string;
  /** Of packets of a workload to itself by the other address: it must not see its own as their source. */
  readonly back: string;
}

function floatingRule({ version, internal, external }: FloatingForward): Translation {
  const ip = IP[version];
  return {
    to: `${ip} daddr ${external} dnat ${ip} to ${internal}`,
    back: `${ip} saddr ${internal} ${ip} daddr ${internal} snat ${ip} to ${external}`,
  };
}

function portRule(forward: PortForward): Translation {
  const { version, protocol, hostAddress, hostPort, address, port } = forward;
  const ip = IP[version];
  const host = hostAddress ? `${ip} daddr ${hostAddress}` : `meta nfproto ipv${version}`;
  const target = version === 4 ? `${address}:${port}` : `[${address}]:${port}`;
  return {
    to: `${host} meta l4proto ${protocol} th dport ${hostPort} dnat ${ip} to ${target}`,
    back: `${ip} saddr ${address} ${ip} daddr ${address} masquerade`,
  };
}

const SOURCES = 'nat-sources';
const EXEMPT = 'nat-exempt';

function outgoingSets({ sources, exempt }: OutgoingNat): [string, NftSetObject][] {
  return ([4, 6] as const).flatMap((version) =>
    (
      [
        [SOURCES, sources],
        [EXEMPT, exempt],
      ] as const
    ).map(([name, prefixes]): [string, NftSetObject] => {
      const elements: NftElement[] = new DisjointNets(prefixes)
        .elements()
        .filter((element) => familyOf(element) === `ipv${version}`)
        .map((key) => ({ key }));
      const set = { key: [`ipv${version}_addr`] as const, interval: true, elements };
      return [`${name}-v${version}`, set];
    }),
  );
}

function outgoingRules({ address, ports, interfaces }: OutgoingNat): string[] {
  return ([4, 6] as const).flatMap((version) => {
    const ip = IP[version];
    const match = [
      ...(interfaces === undefined ? [] : [`oifname "${interfaces}"`]),
      `${ip} saddr @${SOURCES}-v${version} ${ip} daddr != @${EXEMPT}-v${version}`,
    ].join(' ');
    const own = version === 4 && address !== undefined ? address : undefined;
    const plain = own ? `snat ip to ${own}` : 'masquerade';
    if (!ports) return [`${match} ${plain}`];
    const range = `:${ports.first === ports.last ? '' : `${ports.first}-`}${ports.last}`;
    const ranged = own ? `snat ip to ${own}${range}` : `masquerade to ${range}`;
    return [
      ...WITH_PORTS.map((protocol) => `${match} meta l4proto ${protocol} ${ranged}`),
      `${match} ${plain}`,
    ];
  });
}
