import { familyOf, WORKLOAD_LINK } from '@overland/net';
import { floatingForwardsOf, type PortForward, portForwardsOf } from '../address-translation.ts';
import type { OutgoingNat } from '../outgoing-nat.ts';
import type { PolicyState } from '../policy-state.ts';
import { CHAIN, type Version } from './names.ts';
import type { TableRules } from './table-rules.ts';

const POSTROUTING = 'cali-POSTROUTING';
const OUTGOING = 'cali-nat-outgoing';
const TRANSLATE = 'cali-nat-translate';
const FLOATING = 'cali-fip-dnat';
const FLOATING_BACK = 'cali-fip-snat';
const PORTS = 'cali-host-ports';
const PORTS_BACK = 'cali-host-ports-back';

/** Chains whose rules depend on what is configured: if the kernel refuses one, none of them translates. */
export const TRANSLATION_CHAINS: readonly string[] = [
  ...[FLOATING, FLOATING_BACK, PORTS, PORTS_BACK, OUTGOING, TRANSLATE],
];

/** TCP and UDP: those whose ports are chosen. */
const WITH_PORTS = [6, 17];
const OWN = `${WORKLOAD_LINK.namePrefix}+`;

type Chain = readonly [name: string, rules: readonly string[]];

/**
 * Address translation: other addresses and ports of the host that lead to workloads, and the address under which
 * workloads reach what is outside all pools. Where there is nothing to translate there is no chain.
 */
export function natRules(state: PolicyState, version: Version): TableRules {
  const floating = floatingForwardsOf(state).filter((one) => one.version === version);
  const ports = portForwardsOf(state).filter((one) => one.version === version);
  const outgoing = outgoingChains(state.host?.outgoingNat, version);
  const arriving: Chain[] = [
    [FLOATING, floating.map(({ internal, external }) => dnat(`-d ${external}`, internal))],
    [PORTS, ports.map(portRule)],
  ];
  const leaving: Chain[] = [
    // Of packets of a workload to itself by the other address: it must not see its own as their source.
    [
      FLOATING_BACK,
      floating.map(
        ({ internal, external }) => `${toItself(internal)} -j SNAT --to-source ${external}`,
      ),
    ],
    [PORTS_BACK, portsBack(ports, version)],
  ];
  const arrive = used(arriving).map(([name]) =>
    name === PORTS ? `-m addrtype --dst-type LOCAL -j ${name}` : `-j ${name}`,
  );
  const leave = used([...leaving, ...outgoing.slice(-1)]).map(([name]) => `-j ${name}`);
  const chains = new Map(
    used([
      ...arriving,
      ...leaving,
      ...outgoing,
      [CHAIN.prerouting, arrive],
      [CHAIN.output, arrive],
      [POSTROUTING, leave],
    ]),
  );
  const builtIn = ['PREROUTING', 'OUTPUT', 'POSTROUTING'].filter((name) =>
    chains.has(`cali-${name}`),
  );
  const before = new Map(builtIn.map((name) => [name, [`-j cali-${name}`]]));
  return { chains, before, after: new Map() };
}

function used(chains: readonly Chain[]): Chain[] {
  return chains.filter(([, rules]) => rules.length > 0);
}

function dnat(match: string, target: string): string {
  return `${match} -j DNAT --to-destination ${target}`;
}

const toItself = (address: string): string => `-s ${address} -d ${address}`;

function portRule(forward: PortForward): string {
  const { version, protocol, hostAddress, hostPort, address, port } = forward;
  const host = hostAddress === undefined ? '' : `-d ${hostAddress} `;
  const target = version === 4 ? `${address}:${port}` : `[${address}]:${port}`;
  return dnat(`${host}-p ${protocol} -m multiport --destination-ports ${hostPort}`, target);
}

function portsBack(ports: readonly PortForward[], version: Version): string[] {
  if (ports.length === 0) return [];
  const addresses = new Set(ports.map(({ address }) => address));
  return [
    ...Array.from(addresses, (address) => `${toItself(address)} -j MASQUERADE`),
    // The host's own programs, at a port of localhost: no answer would come back to that.
    ...(version === 4 ? [`-o ${OWN} -s 127.0.0.0/8 -j MASQUERADE`] : []),
  ];
}

/** The chain that is led to is the last. */
function outgoingChains(nat: OutgoingNat | undefined, version: Version): Chain[] {
  const ofVersion = (prefixes: OutgoingNat['sources']) =>
    prefixes.filter((prefix) => familyOf(prefix) === `ipv${version}`);
  const sources = nat ? ofVersion(nat.sources) : [];
  if (!nat || sources.length === 0) return [];
  const out = nat.interfaces === undefined ? '' : `-o ${nat.interfaces.replace(/\*$/, '+')} `;
  return [
    [
      TRANSLATE,
      [...ofVersion(nat.exempt).map((net) => `-d ${net} -j RETURN`), ...targets(nat, version)],
    ],
    [OUTGOING, sources.map((source) => `${out}-s ${source} -g ${TRANSLATE}`)],
  ];
}

function targets({ address, ports }: OutgoingNat, version: Version): string[] {
  const own = version === 4 ? address : undefined;
  const plain = own ? `-j SNAT --to-source ${own}` : '-j MASQUERADE';
  if (!ports) return [plain];
  const range = ports.first === ports.last ? `${ports.first}` : `${ports.first}-${ports.last}`;
  const ranged = own ? `${plain}:${range}` : `${plain} --to-ports ${range}`;
  return [...WITH_PORTS.map((protocol) => `-p ${protocol} ${ranged}`), plain];
}
