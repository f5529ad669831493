import { type Family, familyOf, type IpAddress } from '@overland/net';
import type { PolicyEndpoint } from './endpoint.ts';
import type { FlowPlace } from './find-place.ts';
import { isFailsafe } from './host-rules.ts';
import { type Action, type Judgement, judgePacket } from './judge-packet.ts';
import type { Packet } from './match-rule.ts';
import type { Direction, PolicyView } from './policy-view.ts';

/** What is asked of the first packet of a flow, addresses aside. */
export type FlowKind = Omit<Packet, 'source' | 'destination'>;

/** Where on its way a packet is judged, and how. */
export interface FlowStep {
  readonly place: string;
  readonly direction: Direction;
  readonly action: Action;
  /** `undefined`: nobody was asked, for the reason in `note`. */
  readonly judgement: Judgement | undefined;
  readonly note: string | undefined;
  /** What would let it through, where it does not: rules that nearly do, and what they miss. */
  readonly hints: readonly string[];
}

export interface FlowExplanation {
  readonly packet: Packet;
  readonly action: Action;
  /** In the order of the way. */
  readonly steps: readonly FlowStep[];
  /** What was not looked at, and may decide otherwise. */
  readonly notes: readonly string[];
}

/** The two ends have no IP version in common. */
export class NoFamilyError extends Error {
  override readonly name = 'NoFamilyError';
}

export interface FlowQuestion {
  readonly from: FlowPlace;
  readonly to: FlowPlace;
  readonly kind: FlowKind;
  /** Absent: IPv4 if both ends have it. */
  readonly family?: Family | undefined;
}

/**
 * What becomes of the first packet of a flow, from end to end, by policy. Every step is judged, also behind one that
 * lets nothing through. Packets of established flows pass.
 *
 * @throws {NoFamilyError} If the ends have no addresses of one family.
 */
export function explainFlow(
  { from, to, kind, family }: FlowQuestion,
  view: PolicyView,
): FlowExplanation {
  const packet = { ...kind, ...addressesOf(from, to, family) };
  const steps = [
    stepAt(from, 'egress', packet, view),
    toOwnHost(from, to, view),
    stepAt(to, 'ingress', packet, view),
  ].filter((step) => step !== undefined);
  const action = steps.every((step) => step.action === 'allow') ? 'allow' : 'deny';
  return { packet, action, steps, notes: forwardNotes(from, to, view) };
}

function addressesOf(
  from: FlowPlace,
  to: FlowPlace,
  family: Family | undefined,
): Pick<Packet, 'source' | 'destination'> {
  for (const wanted of family ? [family] : (['ipv4', 'ipv6'] as const)) {
    const pick = ({ addresses }: FlowPlace): IpAddress | undefined =>
      addresses.find((address) => familyOf(address) === wanted);
    const [source, destination] = [pick(from), pick(to)];
    if (source && destination) return { source, destination };
  }
  const both = `${from.name} (${from.addresses.join(', ')}) and ${to.name} (${to.addresses.join(', ')})`;
  throw new NoFamilyError(
    `${both} have no ${family === undefined ? 'IP version in common' : `${family} addresses both`}`,
  );
}

function stepAt(
  place: FlowPlace,
  direction: Direction,
  packet: Packet,
  view: PolicyView,
): FlowStep | undefined {
  if (place.kind === 'address') return undefined;
  const step = { place: `${place.kind} ${place.name}`, direction } as const;
  if (place.kind === 'workload')
    return { ...step, ...judgeAt(place.endpoint, direction, packet, view) };
  const open = (note: string): FlowStep => ({
    ...step,
    action: 'allow',
    judgement: undefined,
    note,
    hints: [],
  });
  const address = direction === 'egress' ? packet.source : packet.destination;
  const endpoint = protecting(place.endpoints, address);
  if (!endpoint) return open('no host endpoint is about it');
  if (isFailsafe(view.hostRulesOf(place.name), direction, packet)) {
    return open('a failsafe port: it is open whatever policies say');
  }
  return {
    ...step,
    place: `${step.place}, host endpoint ${endpoint.name}`,
    ...judgeAt(endpoint, direction, packet, view),
  };
}

function judgeAt(
  endpoint: PolicyEndpoint,
  direction: Direction,
  packet: Packet,
  view: PolicyView,
): Pick<FlowStep, 'action' | 'judgement' | 'note' | 'hints'> {
  const judgement = judgePacket(view.policyOf(endpoint, direction), direction, packet, view.sets);
  const { action } = judgement.decision;
  return {
    action,
    judgement,
    note: undefined,
    hints: action === 'deny' ? hintsOf(judgement) : [],
  };
}

/** The endpoint with the address, else the one for all interfaces, else the only one. */
function protecting(
  endpoints: readonly PolicyEndpoint[],
  address: IpAddress,
): PolicyEndpoint | undefined {
  const byId = endpoints.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return (
    byId.find(({ addresses }) => addresses.includes(address)) ??
    byId.find(({ interfaceName }) => interfaceName === '*') ??
    (byId.length === 1 ? byId[0] : undefined)
  );
}

/** Packets of a workload to its own host, after its egress policy. */
function toOwnHost(from: FlowPlace, to: FlowPlace, view: PolicyView): FlowStep | undefined {
  if (from.kind !== 'workload' || to.kind !== 'host' || from.endpoint.node !== to.name) {
    return undefined;
  }
  const { endpointToHost } = view.hostRulesOf(to.name);
  const isDropped = endpointToHost === 'Drop';
  return {
    place: `host ${to.name}`,
    direction: 'ingress',
    action: isDropped ? 'deny' : 'allow',
    judgement: undefined,
    note: `defaultEndpointToHostAction is ${endpointToHost}`,
    hints: isDropped
      ? ['set defaultEndpointToHostAction of the FelixConfiguration to Return or Accept']
      : [],
  };
}

const MAX_HINTS = 3;

/** What would let a packet through that was denied. */
function hintsOf({ decision, outcomes }: Judgement): string[] {
  if (decision.rule !== undefined) {
    return [
      `change rule ${decision.rule + 1} of ${decision.list}, or let a rule before it allow this`,
    ];
  }
  const asked = outcomes.filter(({ tier }) => tier === decision.tier).flatMap(({ lists }) => lists);
  const near = asked
    .flatMap(({ name, rules }) =>
      rules
        .filter(({ action, mismatches }) => action === 'Allow' && mismatches.length > 0)
        .map(({ rule, mismatches }) => ({ rule, name, mismatches })),
    )
    .toSorted((a, b) => a.mismatches.length - b.mismatches.length)
    .slice(0, MAX_HINTS)
    .map(
      ({ rule, name, mismatches }) =>
        `rule ${rule + 1} of ${name} would allow it, but ${mismatches.join('; ')}`,
    );
  if (near.length > 0) return near;
  const [first] = asked;
  return [
    first === undefined
      ? 'give it a profile, or a policy that allows this'
      : `no rule of ${asked.map(({ name }) => name).join(', ')} allows anything like it: add one`,
  ];
}

/** Policies on the way that are about interfaces we cannot tell the flow passes. */
function forwardNotes(from: FlowPlace, to: FlowPlace, view: PolicyView): string[] {
  const nodes = [from, to].flatMap((place) =>
    place.kind === 'workload' ? [place.endpoint.node] : [],
  );
  return view.endpoints
    .filter(({ kind, node }) => kind === 'host' && nodes.includes(node))
    .filter((endpoint) =>
      (['ingress', 'egress'] as const).some(
        (direction) => view.policyOf(endpoint, direction, 'forward').tiers.length > 0,
      ),
    )
    .map(
      ({ name, node }) =>
        `policies with applyOnForward select host endpoint ${name} of ${node}, which the flow may pass: not looked at`,
    );
}
