import { parseAddress } from '@overland/net';
import type { LocalState } from '../src/calc/local-state.ts';
import type { ActiveRule } from '../src/calc/policy/active-rule.ts';
import { differenceOf, emptyPolicyState } from '../src/calc/policy-change.ts';
import type { EndpointPolicyRef, PolicyState } from '../src/calc/policy-state.ts';
import type { Dataplane } from '../src/index.ts';

/** Asks nothing of an end. */
export const anySide = {
  nets: [],
  notNets: [],
  sets: [],
  notSets: [],
  ports: undefined,
  notPorts: undefined,
} as const;

/** Allows everything. */
export const openRule = {
  action: 'Allow',
  ipVersion: undefined,
  protocol: undefined,
  notProtocol: undefined,
  icmp: undefined,
  notIcmp: undefined,
  source: anySide,
  destination: anySide,
  inert: undefined,
} as const;

/** One workload, `cali1` with 10.65.0.1: what it sends is decided by one rule, and nobody may open a connection to it. */
export function outgoingBy(rule: ActiveRule): PolicyState {
  return {
    ...emptyPolicyState(),
    lists: new Map([
      ['egress Profile open', { name: 'Profile open', rules: [rule] }],
      ['ingress Profile open', { name: 'Profile open', rules: [] }],
    ]),
    endpoints: new Map([
      [
        'cali1',
        {
          name: 'default/one',
          addresses: [parseAddress('10.65.0.1')],
          ingress: { tiers: [], profiles: ['ingress Profile open'] },
          egress: { tiers: [], profiles: ['egress Profile open'] },
        },
      ],
    ]),
  };
}

const OPEN = { name: 'Profile open', rules: [openRule] };

/** Policy under which these endpoints may do everything. */
export function openPolicyOf({ endpoints }: LocalState): PolicyState {
  const open = (direction: string): EndpointPolicyRef => ({
    tiers: [],
    profiles: [`${direction} ${OPEN.name}`],
  });
  const [ingress, egress] = [open('ingress'), open('egress')];
  return {
    sets: new Map(),
    lists: new Map(['ingress', 'egress'].map((direction) => [`${direction} ${OPEN.name}`, OPEN])),
    endpoints: new Map(
      [...endpoints].map(([name, { workloadAddresses }]) => [
        name,
        { name, addresses: workloadAddresses, ingress, egress },
      ]),
    ),
  };
}

/** The dataplane, told with every local state that its endpoints may do everything. */
export function openingPolicy(dataplane: Dataplane): Dataplane {
  let before: PolicyState = emptyPolicyState();
  return {
    ...dataplane,
    setLocalState(state) {
      const after = openPolicyOf(state);
      dataplane.changePolicy(differenceOf(before, after, state.synced));
      before = after;
      dataplane.setLocalState(state);
    },
    [Symbol.asyncDispose]: () => dataplane[Symbol.asyncDispose](),
  };
}
