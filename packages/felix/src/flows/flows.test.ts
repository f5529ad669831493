import type { Connection, FlowTuple } from '@overland/linux';
import { type IpAddress, parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import type { ActiveRule, ActiveSide } from '../calc/policy/active-rule.ts';
import type { PolicyState } from '../calc/policy-state.ts';
import { type FlowCounts, FlowTable } from './flow-table.ts';
import { judgeFlows } from './judge-flows.ts';

const [CLIENT, SERVER, FAR] = ['10.65.0.1', '10.65.0.2', '192.0.2.1'].map(parseAddress) as [
  IpAddress,
  IpAddress,
  IpAddress,
];
const TCP = 6;

const tcp = (source: IpAddress, destination: IpAddress, port: number): FlowTuple => ({
  source,
  destination,
  protocol: TCP,
  sourcePort: 40_000 + port,
  destinationPort: port,
});

/** @param arrivesAt Where the destination is translated to. */
function connection(
  original: FlowTuple,
  { octets = 0, arrivesAt = original.destination, port = original.destinationPort } = {},
): Connection {
  const packets = octets / 100;
  return {
    original,
    reply: {
      source: arrivesAt,
      destination: original.source,
      protocol: original.protocol,
      sourcePort: port,
      destinationPort: original.sourcePort,
    },
    sent: { packets, octets },
    answered: { packets: packets * 2, octets: octets * 2 },
  };
}

function table({ maxFlows = 10 } = {}) {
  let clock = 0;
  return new FlowTable({
    maxFlows,
    now: () => ++clock,
  });
}

test('connections to one port are one flow, whatever ports their clients have', () => {
  const flows = table();
  const first = connection(tcp(CLIENT, FAR, 80), { octets: 300 });
  flows.began(first);
  flows.ended(first);
  flows.began(connection({ ...tcp(CLIENT, FAR, 80), sourcePort: 1234 }));
  flows.denied(tcp(CLIENT, FAR, 80), 60);
  expect(flows.take()).toMatchObject([
    {
      verdict: 'allow',
      source: CLIENT,
      destination: FAR,
      destinationPort: 80,
      began: 2,
      ended: 1,
      packets: 3,
      octets: 300,
      answerPackets: 6,
      answerOctets: 600,
    },
    { verdict: 'deny', began: 0, packets: 1, octets: 60 },
  ]);
  expect(flows.take()).toEqual([]);
});

test('a flow is to where its packets arrive', () => {
  const flows = table();
  flows.began(
    connection(tcp(FAR, parseAddress('192.0.2.9'), 8080), { arrivesAt: SERVER, port: 80 }),
  );
  expect(flows.take()).toMatchObject([{ source: FAR, destination: SERVER, destinationPort: 80 }]);
});

test('flows for which there is no room are counted', () => {
  const flows = table({ maxFlows: 1 });
  flows.began(connection(tcp(CLIENT, FAR, 80)));
  flows.began(connection(tcp(CLIENT, FAR, 81)));
  flows.began(connection(tcp(CLIENT, FAR, 80)));
  expect(flows.take()).toMatchObject([{ destinationPort: 80, began: 2 }]);
  expect(flows.untold).toBe(1);
});

const ANY: ActiveSide = {
  nets: [],
  notNets: [],
  sets: [],
  notSets: [],
  ports: undefined,
  notPorts: undefined,
};

const rule = (action: ActiveRule['action'], given: Partial<ActiveRule> = {}): ActiveRule => ({
  action,
  ipVersion: undefined,
  protocol: undefined,
  notProtocol: undefined,
  icmp: undefined,
  notIcmp: undefined,
  source: ANY,
  destination: ANY,
  inert: undefined,
  ...given,
});

const STATE: PolicyState = {
  sets: new Map([
    ['s:near', { kind: 'nets', members: new Set([CLIENT, parsePrefix('10.66.0.0/16')]) }],
    ['n:http', { kind: 'ports', members: new Set([`${SERVER} . 6 . 80`]) }],
  ]),
  lists: new Map([
    ['egress Profile open', { name: 'Profile open', rules: [rule('Allow')] }],
    [
      'ingress NetworkPolicy prod/web',
      {
        name: 'NetworkPolicy prod/web',
        rules: [
          rule('Deny', { source: { ...ANY, nets: [parsePrefix('10.66.1.0/24')] } }),
          rule('Allow', {
            source: { ...ANY, sets: ['s:near'] },
            destination: { ...ANY, ports: { ranges: [], sets: ['n:http'] } },
          }),
        ],
      },
    ],
  ]),
  endpoints: new Map([
    [
      'calia',
      {
        name: 'prod/client',
        addresses: [CLIENT],
        ingress: { tiers: [], profiles: [] },
        egress: { tiers: [], profiles: ['egress Profile open'] },
      },
    ],
    [
      'calib',
      {
        name: 'prod/server',
        addresses: [SERVER],
        ingress: {
          tiers: [
            { name: 'default', defaultAction: 'Deny', lists: ['ingress NetworkPolicy prod/web'] },
          ],
          profiles: [],
        },
        egress: { tiers: [], profiles: [] },
      },
    ],
  ]),
};

const flow = (source: string, destination: IpAddress, port: number): FlowCounts => ({
  verdict: 'allow',
  source: parseAddress(source),
  destination,
  protocol: TCP,
  destinationPort: port,
  began: 1,
  ended: 0,
  packets: 0,
  octets: 0,
  answerPackets: 0,
  answerOctets: 0,
  firstAt: 0,
  lastAt: 0,
});

test.each([
  ['both ends here', CLIENT, 80, ['prod/client open 1 allow', 'prod/server web 2 allow']],
  ['a port without the name', CLIENT, 81, ['prod/client open 1 allow', 'prod/server default deny']],
  ['an address of a prefix in the set', '10.66.9.9', 80, ['prod/server web 2 allow']],
  ['one that a rule denies', '10.66.1.9', 80, ['prod/server web 1 deny']],
  ['one that no set holds', FAR, 80, ['prod/server default deny']],
])('the rule that decides is named: %s', (_name, source, port, expected) => {
  const [judged] = judgeFlows([flow(source, SERVER, port)], STATE);
  const texts = judged?.judgements.map(({ endpoint, list, tier, rule: at, action }) => {
    const by = list === undefined ? tier : `${list.split(/[ /]/).at(-1)} ${Number(at) + 1}`;
    return `${endpoint} ${by} ${action}`;
  });
  expect(texts).toEqual(expected);
});

test('a source that may not send is not asked about further', () => {
  const [judged] = judgeFlows([flow(SERVER, CLIENT, 80)], STATE);
  expect(judged?.judgements).toMatchObject([
    { direction: 'egress', endpoint: 'prod/server', action: 'deny' },
  ]);
});

test('what staged policies would decide is told where it is something else', () => {
  const server = STATE.endpoints.get('calib');
  if (!server) throw new Error('no server');
  const none = { tiers: [], profiles: [] };
  const list = 'ingress StagedNetworkPolicy prod/web';
  const tier = { name: 'default', defaultAction: 'Deny', lists: [list] } as const;
  const state: PolicyState = {
    ...STATE,
    lists: new Map(STATE.lists).set(list, {
      name: 'StagedNetworkPolicy prod/web',
      rules: [rule('Deny', { source: { ...ANY, sets: ['s:near'] } }), rule('Allow')],
    }),
    endpoints: new Map(STATE.endpoints).set('calib', {
      ...server,
      staged: { ingress: { tiers: [tier], profiles: [] }, egress: none },
    }),
  };
  const judged = (source: string) =>
    judgeFlows([flow(source, SERVER, 80)], state)[0]?.judgements.at(-1);
  expect(judged('10.66.9.9')).toMatchObject({
    action: 'allow',
    staged: { action: 'deny', list: 'StagedNetworkPolicy prod/web', rule: 0 },
  });
  expect(judged(FAR)).toMatchObject({
    action: 'deny',
    staged: { action: 'allow', list: 'StagedNetworkPolicy prod/web', rule: 1 },
  });
  expect(judged('10.66.1.9')).not.toHaveProperty('staged');
});

test('flows between others are left out', () => {
  expect(judgeFlows([flow('192.0.2.9', FAR, 80)], STATE)).toEqual([]);
});
