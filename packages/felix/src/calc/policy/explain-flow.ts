import { type Family, familyOf, type IpAddress } from '@overland/net';
import { type BorderFindings, explainForwarded, explainLocal } from './explain-host.ts';
import type { FlowPlace } from './find-place.ts';
import { type FlowStep, openStep } from './flow-step.ts';
import { hintsOf } from './hints.ts';
import { isEssential } from './host-rules.ts';
import { type Action, judgePacket } from './judge-packet.ts';
import type { Packet } from './match-rule.ts';
import type { Direction, PolicyView } from './policy-view.ts';

/** What is asked of the first packet of a flow, addresses aside. */
export type FlowKind = Omit<Packet, 'source' | 'destination'>;

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
  /** By which the flow leaves and enters hosts; absent: nobody said. */
  readonly interfaceName?: string | undefined;
}

/**
 * What becomes of the first packet of a flow, from end to end, by policy. Every step is judged, also behind one that
 * lets nothing through. Packets of established flows pass.
 *
 * @throws {NoFamilyError} If the ends have no addresses of one family.
 */
export function explainFlow(
  { from, to, kind, family, interfaceName }: FlowQuestion,
  view: PolicyView,
): FlowExplanation {
  const packet = { ...kind, ...addressesOf(from, to, family) };
  const steps: FlowStep[] = [];
  const notes: string[] = [];
  const add = (findings: BorderFindings): void => {
    steps.push(...findings.steps);
    notes.push(...findings.notes);
  };
  const border = { packet, interfaceName };
  const isWithinHost = nodeOf(from) !== undefined && nodeOf(from) === nodeOf(to);
  const isToOwnHost = isWithinHost && to.kind === 'host';
  if (from.kind === 'workload' && !(isToOwnHost && isEssential(packet))) {
    steps.push(workloadStep(from, 'egress', packet, view));
  }
  if (isWithinHost) {
    steps.push(...withinHost(from, to, packet, view));
  } else {
    add(atBorder(from, { ...border, direction: 'egress' }, view));
    add(atBorder(to, { ...border, direction: 'ingress' }, view));
    if (to.kind === 'workload') steps.push(workloadStep(to, 'ingress', packet, view));
  }
  if (to.kind === 'host') notes.push(...translations(to.name, packet, view));
  const action = steps.every((step) => step.action === 'allow') ? 'allow' : 'deny';
  return { packet, action, steps, notes };
}

/** Ports and addresses of a host that lead elsewhere: what is judged is the way to the host itself. */
function translations(host: string, packet: Packet, view: PolicyView): string[] {
  const { protocol, destination, destinationPort } = packet;
  return view.endpoints.flatMap(({ node, name, guard }) =>
    (node === host ? (guard?.hostPorts ?? []) : [])
      .filter(
        ({ hostAddress = destination, ...port }) =>
          hostAddress === destination &&
          port.protocol === protocol &&
          port.hostPort === destinationPort,
      )
      .map(
        ({ hostPort, port }) =>
          `port ${hostPort} of ${host} leads to port ${port} of ${name}: ask about that one`,
      ),
  );
}

function nodeOf(place: FlowPlace): string | undefined {
  if (place.kind === 'address') return undefined;
  return place.kind === 'workload' ? place.endpoint.node : place.name;
}

function atBorder(
  place: FlowPlace,
  border: {
    readonly packet: Packet;
    readonly interfaceName: string | undefined;
    readonly direction: Direction;
  },
  view: PolicyView,
): BorderFindings {
  const node = nodeOf(place);
  if (node === undefined) return { steps: [], notes: [] };
  const explain = place.kind === 'host' ? explainLocal : explainForwarded;
  return explain({ ...border, node }, view);
}

function withinHost(
  from: FlowPlace,
  to: FlowPlace,
  packet: Packet,
  view: PolicyView,
): readonly FlowStep[] {
  if (to.kind === 'workload') {
    if (from.kind === 'workload') return [workloadStep(to, 'ingress', packet, view)];
    return [openStep(`workload ${to.name}`, 'ingress', 'a host reaches its own workloads')];
  }
  if (from.kind === 'workload') return [toOwnHost(to.name, packet, view)];
  return [openStep(`host ${to.name}`, 'ingress', 'a host reaches itself')];
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

function workloadStep(
  { name, endpoint }: Extract<FlowPlace, { kind: 'workload' }>,
  direction: Direction,
  packet: Packet,
  view: PolicyView,
): FlowStep {
  const judgement = judgePacket(
    view.policyOf(endpoint, direction),
    { direction },
    packet,
    view.sets,
  );
  const { action } = judgement.decision;
  const hints = action === 'deny' ? hintsOf(judgement) : [];
  return { place: `workload ${name}`, direction, action, judgement, note: undefined, hints };
}

/** Packets of a workload to its own host, after its egress policy. */
function toOwnHost(host: string, packet: Packet, view: PolicyView): FlowStep {
  const place = `host ${host}`;
  const { endpointToHost } = view.hostRulesOf(host);
  const note = `defaultEndpointToHostAction is ${endpointToHost}`;
  if (isEssential(packet)) return openStep(place, 'ingress', 'IPv6 does not work without it');
  if (endpointToHost !== 'Drop') return openStep(place, 'ingress', note);
  const hint = 'set defaultEndpointToHostAction of the FelixConfiguration to Return or Accept';
  return {
    place,
    direction: 'ingress',
    action: 'deny',
    judgement: undefined,
    note,
    hints: [hint],
  };
}
