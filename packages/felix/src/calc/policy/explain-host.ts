import type { IpAddress } from '@overland/net';
import type { PolicyEndpoint } from './endpoint.ts';
import { type FlowStep, openStep } from './flow-step.ts';
import { hintsOf } from './hints.ts';
import { type HostStage, judgeAtHost } from './host-stages.ts';
import type { Packet } from './match-rule.ts';
import type { Direction, PolicyHook, PolicyView } from './policy-view.ts';

/** A packet's way over the border of a host, in or out. */
interface Border {
  readonly node: string;
  readonly direction: Direction;
  readonly packet: Packet;
  /** Of the host; `undefined`: nobody said. */
  readonly interfaceName: string | undefined;
}

export interface BorderFindings {
  readonly steps: readonly FlowStep[];
  readonly notes: readonly string[];
}

/** What host endpoints make of a packet that the host itself sends or gets. */
export function explainLocal(border: Border, view: PolicyView): BorderFindings {
  const { node, direction, packet, interfaceName } = border;
  const address = direction === 'egress' ? packet.source : packet.destination;
  const endpoint = protecting(endpointsOf(node, view), interfaceName, address);
  if (endpoint) return { steps: stepsAt(border, endpoint, false, view), notes: [] };
  const note = 'no host endpoint is about it';
  return { steps: [openStep(`host ${node}`, direction, note)], notes: [] };
}

/** What they make of one that the host forwards, to or from workloads of its own. */
export function explainForwarded(border: Border, view: PolicyView): BorderFindings {
  const { node, interfaceName } = border;
  const endpoints = endpointsOf(node, view);
  const all = endpoints.find((endpoint) => endpoint.interfaceName === '*');
  const named = endpoints.filter((endpoint) => endpoint.interfaceName !== '*');
  const own = named.find((endpoint) => endpoint.interfaceName === interfaceName);
  // Which interfaces have the addresses of endpoints without a name is not known here.
  const possible = named.filter(
    (endpoint) => interfaceName === undefined || !endpoint.interfaceName,
  );
  const candidates = interfaceName !== undefined && own ? [own] : [...possible, all];
  const outcomes = candidates.map((endpoint) => ({
    endpoint,
    steps: endpoint ? stepsAt(border, endpoint, true, view) : [],
  }));
  const isDenied = ({ steps }: (typeof outcomes)[number]) =>
    steps.some(({ action }) => action === 'deny');
  const denied = outcomes.filter(isDenied);
  if (denied.length === 0 || denied.length === outcomes.length) {
    return { steps: outcomes.find(({ steps }) => steps.length > 0)?.steps ?? [], notes: [] };
  }
  const names = denied.map(
    ({ endpoint }) => `${endpoint?.name} (${endpoint?.interfaceName || endpoint?.addresses})`,
  );
  const note = `through some interfaces of ${node} it is denied, by host endpoint ${names.join(', ')}: say which one the flow takes`;
  return { steps: [], notes: [note] };
}

const PLACES: Readonly<Record<PolicyHook, string>> = {
  untracked: ', before tracking',
  preDNAT: ', before DNAT',
  normal: '',
  forward: ', forwarded',
};

function stepsAt(
  { node, direction, packet }: Border,
  endpoint: PolicyEndpoint,
  isForwarded: boolean,
  view: PolicyView,
): FlowStep[] {
  const stages = judgeAtHost({ node, endpoint, direction, isForwarded }, packet, view);
  return stages.map(({ hook, judgement }: HostStage) => {
    const place = `host ${node}, host endpoint ${endpoint.name}${PLACES[hook]}`;
    if (!judgement) {
      return openStep(place, direction, 'a failsafe port: it is open whatever policies say');
    }
    const { action } = judgement.decision;
    const hints = action === 'deny' ? hintsOf(judgement) : [];
    return { place, direction, action, judgement, note: undefined, hints };
  });
}

/** The endpoint of the interface, or with the address, else the one for all interfaces, else the only one. */
function protecting(
  endpoints: readonly PolicyEndpoint[],
  interfaceName: string | undefined,
  address: IpAddress,
): PolicyEndpoint | undefined {
  const all = endpoints.find((endpoint) => endpoint.interfaceName === '*');
  if (interfaceName !== undefined) {
    const isOn = (endpoint: PolicyEndpoint): boolean =>
      endpoint.interfaceName
        ? endpoint.interfaceName === interfaceName
        : endpoint.addresses.includes(address);
    return endpoints.find(isOn) ?? all;
  }
  return (
    endpoints.find(({ addresses }) => addresses.includes(address)) ??
    all ??
    (endpoints.length === 1 ? endpoints[0] : undefined)
  );
}

/** By name. */
function endpointsOf(node: string, view: PolicyView): PolicyEndpoint[] {
  return view.endpoints
    .filter((endpoint) => endpoint.kind === 'host' && endpoint.node === node)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
