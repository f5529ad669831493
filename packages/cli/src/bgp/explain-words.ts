import type { ExportExplanation, PathExplanation, RouteExplanation } from '@overland/bgp';

type Attribute = PathExplanation['received'][number];
type Rule = ExportExplanation['rules'][number];
type Refusal = NonNullable<ExportExplanation['refusal']>;
type NextHop = PathExplanation['nextHop'];

/** Why a peer is not sent a route. */
const SEND_REFUSALS: Readonly<Record<Refusal, string>> = {
  'no-route': 'there is no route that could be chosen',
  'split-horizon': 'the best route is its own',
  'fib-pending': 'the kernel does not have the route yet, or refuses it (suppressFibPending)',
  'no-next-hop': 'there is no next hop that it can be told: no address of the family on its link',
  'send-limit': 'it has as many prefixes from us as it may (maxAdvertised)',
  'no-advertise': 'the route has NO_ADVERTISE',
  'no-export': 'the route has NO_EXPORT, and the session is eBGP',
  'only-to-customer': 'the route is for customers only (OTC), and the peer is none',
  'long-lived-stale':
    'its peer is long gone (LLGR_STALE), and this one does not announce that it knows such routes',
  summarised: 'an aggregate of ours is offered instead (summaryOnly)',
  'not-reflected': 'the route is from an iBGP peer, and neither of the two is a client',
  filter: 'an export filter rejects it',
  'attributes-too-long': 'its attributes do not fit into a message',
  'host-role': 'a host offers only what is its own, unless an export filter accepts more',
  'reflector-role':
    'a reflector offers eBGP peers only its own prefixes and those of its clients, unless an export filter accepts more',
};

/** @param reason A code of the speaker, maybe of a newer one. */
export function sendRefusalText(reason: string): string {
  return (SEND_REFUSALS as Readonly<Record<string, string>>)[reason] ?? reason;
}

/** @param state A code of the speaker, maybe of a newer one. */
export function nextHopFault(state: string): string {
  const faults: Readonly<Record<string, string>> = {
    'own-address': 'is an address of this host',
    'not-on-a-link': 'is on no link that is up',
    unanswered: 'does not answer',
  };
  return faults[state] ?? state;
}

export function nextHopText({ address, device }: NextHop): string {
  if (address === null) return 'self';
  return device === null ? address : `${address} (${device})`;
}

/** `in/raise continue (local-pref 200)`. */
export function ruleText({ rule, action, changes }: Rule): string {
  return `${rule} ${action}${changes.length > 0 ? ` (${changes.join(', ')})` : ''}`;
}

/** `ORIGIN igp, AS_PATH 65001 {65002 65003}`. */
export function attributesText(attributes: readonly Attribute[]): string {
  return attributes
    .map((attribute) => `${nameText(attribute)} ${valueText(attribute)}`.trimEnd())
    .join(', ');
}

function nameText({ name, code }: Attribute): string {
  return name === 'UNKNOWN' ? `attribute ${code}` : name;
}

function valueText({ value, hex }: Attribute): string {
  if (value === null) return hex;
  if (value === true) return '';
  if (typeof value !== 'object') return String(value);
  if ('address' in value) return `${value.asn} ${value.address}`;
  if (!Array.isArray(value)) return hex;
  return value.map(partText).join(' ');
}

function partText(part: string | { readonly type: string; readonly asns: readonly number[] }) {
  if (typeof part === 'string') return part;
  const numbers = part.asns.join(' ');
  return part.type === 'set' ? `{${numbers}}` : numbers;
}

/** What decided, or that all are alike, of one step. */
export function stepText({ values, lost }: RouteExplanation['decision']['steps'][number]): string {
  const [first] = values;
  const textOf = (path: number): string => values.find((one) => one.path === path)?.value ?? '';
  if (lost.length > 0) {
    return lost
      .map(
        ({ path, against }) => `${path} (${textOf(path)}) loses to ${against} (${textOf(against)})`,
      )
      .join(', ');
  }
  if (values.every(({ value }) => value === first?.value)) return `all ${first?.value ?? ''}`;
  const each = values.map(({ path, value }) => `${path}: ${value}`).join(', ');
  return `${each}; compared within one neighbouring AS only`;
}
