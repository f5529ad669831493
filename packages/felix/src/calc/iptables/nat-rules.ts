import { familyOf } from '@overland/net';
import type { OutgoingNat } from '../outgoing-nat.ts';
import type { Version } from './names.ts';
import type { TableRules } from './table-rules.ts';

const POSTROUTING = 'cali-POSTROUTING';
const OUTGOING = 'cali-nat-outgoing';
const TRANSLATE = 'cali-nat-translate';

/** TCP and UDP: those whose ports are chosen. */
const WITH_PORTS = [6, 17];

/** The address under which workloads reach what is outside all pools; nothing where no pool wants it. */
export function natRules(nat: OutgoingNat | undefined, version: Version): TableRules {
  const ofVersion = (prefixes: OutgoingNat['sources']) =>
    prefixes.filter((prefix) => familyOf(prefix) === `ipv${version}`);
  const sources = nat ? ofVersion(nat.sources) : [];
  if (!nat || sources.length === 0) {
    return { chains: new Map(), before: new Map(), after: new Map() };
  }
  const out = nat.interfaces === undefined ? '' : `-o ${nat.interfaces.replace(/\*$/, '+')} `;
  const chains = new Map([
    [
      TRANSLATE,
      [...ofVersion(nat.exempt).map((net) => `-d ${net} -j RETURN`), ...targets(nat, version)],
    ],
    [OUTGOING, sources.map((source) => `${out}-s ${source} -g ${TRANSLATE}`)],
    [POSTROUTING, [`-j ${OUTGOING}`]],
  ]);
  return { chains, before: new Map([['POSTROUTING', [`-j ${POSTROUTING}`]]]), after: new Map() };
}

function targets({ address, ports }: OutgoingNat, version: Version): string[] {
  const own = version === 4 ? address : undefined;
  const plain = own ? `-j SNAT --to-source ${own}` : '-j MASQUERADE';
  if (!ports) return [plain];
  const range = ports.first === ports.last ? `${ports.first}` : `${ports.first}-${ports.last}`;
  const ranged = own ? `${plain}:${range}` : `${plain} --to-ports ${range}`;
  return [...WITH_PORTS.map((protocol) => `-p ${protocol} ${ranged}`), plain];
}
