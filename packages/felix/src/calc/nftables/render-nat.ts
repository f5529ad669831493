import type { NftElement, NftHook } from '@overland/linux';
import { familyOf, type IpAddress, WORKLOAD_LINK } from '@overland/net';
import type { OutgoingNat } from '../outgoing-nat.ts';
import type { EndpointFilter, PolicyState } from '../policy-state.ts';
import type { HostPort } from '../workload-guard.ts';
import { DisjointNets } from './disjoint-nets.ts';
import type { NftChainObject, NftObjects, NftSetObject } from './nft-objects.ts';

type Version = 4 | 6;

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
export function renderNat({ endpoints, host }: PolicyState): NftObjects {
  const all = [...endpoints.values()];
  const floating = host?.hasFloatingAddresses ? all.flatMap(floatingRules) : [];
  const ports = portRules(all);
  const leave = [...floating.flatMap(({ back }) => back), ...ports.flatMap(({ back }) => back)];
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
  if (host?.outgoingNat) {
    for (const [name, set] of outgoingSets(host.outgoingNat)) sets.set(name, set);
    leave.push(...outgoingRules(host.outgoingNat));
  }
  if (leave.length > 0) {
    chains.set('nat-postrouting', { hook: at('postrouting', 100), rules: [...new Set(leave)] });
  }
  return { sets, chains };
}

interface Translation {
  readonly to: string;
  /** Of packets of a workload to itself by the other address: it must not see its own as their source. */
  readonly back: readonly string[];
}

function floatingRules({ guard }: EndpointFilter): Translation[] {
  return (guard?.floating ?? []).map(({ internal, external }) => {
    const ip = ipOf(internal);
    return {
      to: `${ip} daddr ${external} dnat ${ip} to ${internal}`,
      back: [`${ip} saddr ${internal} ${ip} daddr ${internal} snat ${ip} to ${external}`],
    };
  });
}

/** Of two workloads that want one port of the host, the first by name has it. */
function portRules(endpoints: readonly EndpointFilter[]): Translation[] {
  const taken = new Set<string>();
  const rules: Translation[] = [];
  for (const { addresses, guard } of endpoints.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const port of guard?.hostPorts ?? []) {
      for (const version of [4, 6] as const) {
        const address = addresses.find((one) => versionOf(one) === version);
        const match = portMatch(port, version);
        if (!address || !match || taken.has(match)) continue;
        taken.add(match);
        rules.push(portRule(match, address, port.port));
      }
    }
  }
  // Those about one address of the host before those about all.
  return rules.toSorted(
    (a, b) => Number(b.to.includes(' daddr ')) - Number(a.to.includes(' daddr ')),
  );
}

function portMatch({ protocol, hostPort, hostAddress }: HostPort, version: Version) {
  if (hostAddress && versionOf(hostAddress) !== version) return undefined;
  const host = hostAddress
    ? `${ipOf(hostAddress)} daddr ${hostAddress}`
    : `meta nfproto ipv${version}`;
  return `${host} meta l4proto ${protocol} th dport ${hostPort}`;
}

function portRule(match: string, address: IpAddress, port: number): Translation {
  const ip = ipOf(address);
  const target = ip === 'ip' ? `${address}:${port}` : `[${address}]:${port}`;
  return {
    to: `${match} dnat ${ip} to ${target}`,
    back: [`${ip} saddr ${address} ${ip} daddr ${address} masquerade`],
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
    const ip = version === 4 ? 'ip' : 'ip6';
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

function versionOf(address: IpAddress): Version {
  return familyOf(address) === 'ipv4' ? 4 : 6;
}

function ipOf(address: IpAddress): 'ip' | 'ip6' {
  return versionOf(address) === 4 ? 'ip' : 'ip6';
}
