import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import { describe, expect, test } from 'vitest';
import { explainFlow } from './explain-flow.ts';
import { findPlace } from './find-place.ts';
import type { PolicyInputs } from './policy-inputs.ts';
import { PolicyView } from './policy-view.ts';
import { withStaged } from './staged.ts';

type Given = Partial<Record<keyof PolicyInputs, readonly AnyResource[]>>;

function resource(kind: string, metadata: object, spec: object = {}): AnyResource {
  const manifest = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return completeResource(parseManifest(manifest));
}

const workload = (name: string, address: string, labels: object = {}, spec: object = {}) =>
  resource(
    'WorkloadEndpoint',
    { namespace: 'prod', labels },
    {
      orchestrator: 'cni',
      node: 'h1',
      containerID: name,
      endpoint: 'eth0',
      workload: name,
      ipNetworks: [`${address}/${address.includes(':') ? 128 : 32}`],
      profiles: ['open'],
      ...spec,
    },
  );

const policy = (name: string, spec: object, namespace = 'prod') =>
  resource('NetworkPolicy', { name, namespace }, spec);
const globalPolicy = (name: string, spec: object) =>
  resource('GlobalNetworkPolicy', { name }, spec);
const tier = (name: string, spec: object) => resource('Tier', { name }, spec);

const OPEN = resource(
  'Profile',
  { name: 'open' },
  {
    ingress: [{ action: 'Allow' }],
    egress: [{ action: 'Allow' }],
  },
);
const NODE = resource('Node', { name: 'h1' }, { bgp: { ipv4Address: '10.0.0.1/32' } });

const inputs = (given: Given): PolicyInputs =>
  ({
    tiers: [],
    policies: [],
    staged: [],
    profiles: [OPEN],
    workloads: [workload('a', '10.65.0.1', { app: 'a' }), workload('b', '10.65.0.2', { app: 'b' })],
    hostEndpoints: [],
    networkSets: [],
    felixConfigurations: [],
    nodes: [NODE],
    ...given,
  }) as PolicyInputs;

interface Ask {
  readonly from?: string;
  readonly to?: string;
  readonly protocol?: number;
  readonly port?: number;
  readonly icmpType?: number;
  readonly interfaceName?: string;
}

const explain = (given: Given | PolicyInputs, ask: Ask = {}) => {
  const { from = 'a', to = 'b', protocol = 6, port = 80, icmpType, interfaceName } = ask;
  const all = inputs(given as Given);
  const view = new PolicyView(all);
  const find = (text: string) => findPlace(text, view.endpoints, all.nodes);
  const destinationPort = [6, 17, 132].includes(protocol) ? port : undefined;
  const kind = { protocol, destinationPort, icmpType };
  return explainFlow({ from: find(from), to: find(to), kind, interfaceName }, view);
};

/** The verdict, and what decided at the last end that was asked. */
const verdict = (given: Given | PolicyInputs, ask: Ask = {}): string => {
  const { action, steps } = explain(given, ask);
  const { decision } = steps.at(-1)?.judgement ?? {};
  const by = decision?.list
    ? `${decision.list} ${(decision.rule ?? 0) + 1}`
    : (decision?.reason ?? steps.at(-1)?.note ?? 'nobody');
  return `${action}: ${by}`;
};

const allows = (given: Given | PolicyInputs, ask: Ask = {}) =>
  explain(given, ask).action === 'allow';

/** A policy about b that allows what one rule says. */
const only = (rule: object): Given => ({
  policies: [policy('p', { selector: "app == 'b'", ingress: [{ action: 'Allow', ...rule }] })],
});

describe('evaluation (calico.md section 5.1)', () => {
  test('without policies, profiles decide, in their order; without those, nothing is let through', () => {
    expect(verdict({})).toBe('allow: Profile open 1');
    const closed = resource('Profile', { name: 'closed' }, { ingress: [{ action: 'Deny' }] });
    const b = workload('b', '10.65.0.2', {}, { profiles: ['closed', 'open'] });
    const a = workload('a', '10.65.0.1');
    expect(verdict({ profiles: [OPEN, closed], workloads: [a, b] })).toBe('deny: Profile closed 1');
    const none = workload('b', '10.65.0.2', {}, { profiles: [] });
    expect(verdict({ workloads: [a, none] })).toBe(
      'deny: no policy decides, and it has no profile',
    );
    const lost = workload('b', '10.65.0.2', {}, { profiles: ['lost', 'open'] });
    expect(verdict({ workloads: [a, lost] })).toBe('deny: Profile lost: there is no such profile');
  });

  test('the first rule that matches decides; Log goes on', () => {
    const ingress = [
      { action: 'Log' },
      { action: 'Deny', source: { nets: ['10.65.0.1/32'] } },
      { action: 'Allow' },
    ];
    expect(verdict({ policies: [policy('p', { ingress })] })).toBe('deny: NetworkPolicy prod/p 2');
    expect(verdict({ policies: [policy('p', { ingress })] }, { from: '192.0.2.1' })).toBe(
      'allow: NetworkPolicy prod/p 3',
    );
  });

  test('a tier with a policy about the endpoint decides what its rules do not; one without is not asked', () => {
    const security = tier('security', { order: 10 });
    const about = (spec: object) => globalPolicy('security.p', { tier: 'security', ...spec });
    const allowAll = policy('later', { ingress: [{ action: 'Allow' }] });
    const given = (spec: object) => ({ tiers: [security], policies: [allowAll, about(spec)] });
    expect(verdict(given({ selector: "app == 'b'", types: ['Ingress'] }))).toBe(
      'deny: no rule matches, and tier security denies what its policies do not decide',
    );
    expect(verdict(given({ selector: "app == 'x'", types: ['Ingress'] }))).toBe(
      'allow: NetworkPolicy prod/later 1',
    );
    expect(
      verdict(given({ selector: 'all()', types: ['Egress'], egress: [{ action: 'Allow' }] })),
    ).toBe('allow: NetworkPolicy prod/later 1');
    expect(verdict(given({ ingress: [{ action: 'Pass' }] }))).toBe(
      'allow: NetworkPolicy prod/later 1',
    );
    const passing = tier('security', { order: 10, defaultAction: 'Pass' });
    expect(verdict({ tiers: [passing], policies: [allowAll, about({ types: ['Ingress'] })] })).toBe(
      'allow: NetworkPolicy prod/later 1',
    );
  });

  test('after a Pass in the last tier, profiles decide', () => {
    const last = policy('p', { ingress: [{ action: 'Pass' }] });
    expect(verdict({ policies: [last] })).toBe('allow: Profile open 1');
  });

  test('order of tiers and policies: by order, what has none last, then by name', () => {
    const decide = (name: string, order: number | undefined, action: string) =>
      policy(name, { ...(order !== undefined && { order }), ingress: [{ action }] });
    const deciding = (...policies: AnyResource[]) => verdict({ policies });
    expect(deciding(decide('a', undefined, 'Deny'), decide('b', 5, 'Allow'))).toBe(
      'allow: NetworkPolicy prod/b 1',
    );
    expect(deciding(decide('b', 1, 'Deny'), decide('a', 1, 'Allow'))).toBe(
      'allow: NetworkPolicy prod/a 1',
    );
    const early = tier('zz', { order: 1 });
    const first = globalPolicy('zz.p', { tier: 'zz', ingress: [{ action: 'Deny' }] });
    expect(verdict({ tiers: [early], policies: [decide('a', 1, 'Allow'), first] })).toBe(
      'deny: GlobalNetworkPolicy zz.p 1',
    );
  });

  test('a tier that is not there is closed for whom its policies select, and for nobody else', () => {
    const lost = globalPolicy('lost.p', {
      tier: 'lost',
      selector: "app == 'b'",
      ingress: [{ action: 'Allow' }],
    });
    expect(verdict({ policies: [lost] })).toBe('deny: there is no tier lost');
    expect(allows({ policies: [lost] }, { from: 'b', to: 'a' })).toBe(true);
  });
});

describe('conditions of rules (calico.md section 5.3)', () => {
  test.each<[object, Ask, boolean]>([
    [{ protocol: 'TCP', destination: { ports: [80] } }, {}, true],
    [{ protocol: 'TCP', destination: { ports: [443] } }, {}, false],
    [{ protocol: 'TCP', destination: { ports: ['79:81'] } }, {}, true],
    [{ protocol: 'TCP', destination: { notPorts: [80] } }, {}, false],
    [{ protocol: 'UDP' }, {}, false],
    [{ notProtocol: 'UDP' }, {}, true],
    [{ protocol: 'TCP', source: { ports: [1234] } }, {}, false],
    [{ protocol: 'ICMP', icmp: { type: 8 } }, { protocol: 1, icmpType: 8 }, true],
    [{ protocol: 'ICMP', icmp: { type: 8 } }, { protocol: 1, icmpType: 0 }, false],
    [{ protocol: 'ICMP', notICMP: { type: 8 } }, { protocol: 1, icmpType: 8 }, false],
    [{ ipVersion: 6 }, {}, false],
    [{ source: { nets: ['10.65.0.0/31'] } }, {}, true],
    [{ source: { nets: ['10.65.0.0/31'], notNets: ['10.65.0.1/32'] } }, {}, false],
    [{ source: { selector: "app == 'a'" } }, {}, true],
    [{ source: { notSelector: "app == 'a'" } }, {}, false],
    [{ source: { notSelector: "app == 'x'" } }, {}, true],
    [{ source: { selector: "app == 'a'" } }, { from: '192.0.2.1' }, false],
    [{ source: { namespaceSelector: "team == 'x'" } }, {}, false],
    [{ source: { namespaceSelector: 'global()' } }, {}, false],
    [{ source: { namespaceSelector: 'all()' } }, {}, true],
    [{ source: { serviceAccounts: { names: ['api'] } } }, {}, false],
    [{ protocol: 'TCP', http: { methods: ['GET'] } }, {}, false],
    [{ source: { services: { name: 's', namespace: 'prod' } } }, {}, false],
  ])('%j and %j: %s', (rule, ask, expected) => {
    expect(allows(only(rule), ask)).toBe(expected);
  });

  test('a port by name is that of the destination, with its protocol', () => {
    const ports = [{ name: 'web', protocol: 'TCP', port: 8080 }];
    const workloads = [
      workload('a', '10.65.0.1', { app: 'a' }),
      workload('b', '10.65.0.2', { app: 'b' }, { ports }),
      workload('c', '10.65.0.3', { app: 'b' }),
    ];
    const given = { ...only({ destination: { ports: ['web'] } }), workloads };
    expect(allows(given, { port: 8080 })).toBe(true);
    expect(allows(given, { port: 8080, protocol: 17 })).toBe(false);
    expect(allows(given, { port: 80 })).toBe(false);
    expect(allows(given, { to: 'c', port: 8080 })).toBe(false);
  });

  test('a side with a selector is of the own namespace; one of nets is of none', () => {
    const other = { ...workload('x', '10.65.0.9', { app: 'a' }) };
    const elsewhere = completeResource({
      ...other,
      metadata: { ...other.metadata, namespace: 'test' },
    } as AnyResource);
    const given = (source: object): Given => {
      const { workloads } = inputs({});
      return { ...only({ source }), workloads: [...workloads, elsewhere] };
    };
    expect(allows(given({ selector: "app == 'a'" }), { from: 'x' })).toBe(false);
    expect(allows(given({ nets: ['10.65.0.9/32'] }), { from: 'x' })).toBe(true);
    expect(
      allows(given({ selector: "app == 'a'", namespaceSelector: 'all()' }), { from: 'x' }),
    ).toBe(true);
  });

  test('network sets are selected by label; labels come from profiles, too', () => {
    const set = resource(
      'GlobalNetworkSet',
      { name: 's', labels: { zone: 'dmz' } },
      {
        nets: ['192.0.2.0/24'],
      },
    );
    const named = only({ source: { selector: "zone == 'dmz'", namespaceSelector: 'global()' } });
    expect(allows({ ...named, networkSets: [set] }, { from: '192.0.2.7' })).toBe(true);
    expect(allows({ ...named, networkSets: [set] }, { from: '198.51.100.7' })).toBe(false);
    const labelled = resource(
      'Profile',
      { name: 'open' },
      {
        ingress: [{ action: 'Allow' }],
        egress: [{ action: 'Allow' }],
        labelsToApply: { team: 'x' },
      },
    );
    const given = { ...only({ source: { selector: "team == 'x'" } }), profiles: [labelled] };
    expect(allows(given)).toBe(true);
  });
});

describe('hosts (calico.md section 5.2)', () => {
  const hostEndpoint = (spec: object = {}) =>
    resource('HostEndpoint', { name: 'h1-all' }, { node: 'h1', interfaceName: '*', ...spec });

  test('a host without host endpoint is open; one with is closed, but for failsafe ports', () => {
    const ask = { from: '192.0.2.1', to: 'h1' };
    expect(verdict({}, ask)).toBe('allow: no host endpoint is about it');
    const given = { hostEndpoints: [hostEndpoint()] };
    expect(verdict(given, ask)).toBe('deny: no policy decides, and it has no profile');
    expect(verdict(given, { ...ask, port: 22 })).toContain('allow: a failsafe port');
    const allowing = {
      hostEndpoints: [hostEndpoint({ profiles: ['projectcalico-default-allow'] })],
    };
    expect(verdict(allowing, ask)).toBe('allow: Profile projectcalico-default-allow 1');
  });

  test('failsafe ports are those of the FelixConfiguration, of the node before the default one', () => {
    const ports = (port: number) => ({
      failsafeInboundHostPorts: [{ protocol: 'TCP', port, net: '192.0.2.0/24' }],
    });
    const felixConfigurations = [
      resource('FelixConfiguration', { name: 'default' }, ports(8022)),
      resource('FelixConfiguration', { name: 'node.h1' }, ports(9022)),
    ];
    const given = { hostEndpoints: [hostEndpoint()], felixConfigurations };
    const open = (port: number, from = '192.0.2.1') => allows(given, { from, to: 'h1', port });
    expect([open(22), open(8022), open(9022), open(9022, '198.51.100.1')]).toEqual([
      false,
      false,
      true,
      false,
    ]);
  });

  test('a FelixConfiguration for nodes like this one stands between that of the node and the default one', () => {
    const ports = (port: number, spec: object = {}) => ({
      failsafeInboundHostPorts: [{ protocol: 'TCP', port }],
      ...spec,
    });
    const like = { nodeSelector: "rack == 'a'" };
    const configuration = (name: string, spec: object) =>
      resource('FelixConfiguration', { name }, spec);
    const nodes = [
      resource(
        'Node',
        { name: 'h1', labels: { rack: 'a' } },
        { bgp: { ipv4Address: '10.0.0.1/32' } },
      ),
    ];
    const open = (port: number, ...felixConfigurations: AnyResource[]) =>
      allows(
        { hostEndpoints: [hostEndpoint()], nodes, felixConfigurations },
        { from: '192.0.2.1', to: 'h1', port },
      );
    const [everybody, rack] = [
      configuration('default', ports(1)),
      configuration('rack', ports(2, like)),
    ];
    const own = configuration('node.h1', ports(3));
    expect([open(1, everybody), open(2, everybody, rack), open(1, everybody, rack)]).toEqual([
      true,
      true,
      false,
    ]);
    expect([open(3, everybody, rack, own), open(2, everybody, rack, own)]).toEqual([true, false]);
    expect(
      open(1, everybody, configuration('other', ports(2, { nodeSelector: "rack == 'b'" }))),
    ).toBe(true);
  });

  test('what an early policy allows is asked no more, what it does not decide is judged later', () => {
    const early = (scope: object, action: string) =>
      globalPolicy('early', {
        ...scope,
        applyOnForward: true,
        selector: 'all()',
        types: ['Ingress'],
        ingress: [{ action, protocol: 'TCP', destination: { ports: [80] } }],
      });
    const ask = { from: '192.0.2.1', to: 'h1' };
    const on = (interfaceName: string, ...policies: AnyResource[]) => ({
      hostEndpoints: [hostEndpoint({ interfaceName, expectedIPs: ['10.0.0.1'] })],
      policies,
    });
    const [preDNAT, untracked] = [{ preDNAT: true }, { doNotTrack: true }];
    for (const scope of [preDNAT, untracked]) {
      expect(verdict(on('eth0', early(scope, 'Allow')), ask)).toBe(
        'allow: GlobalNetworkPolicy early 1',
      );
      expect(allows(on('eth0', early(scope, 'Allow')), { ...ask, port: 81 })).toBe(false);
      expect(allows(on('eth0', early(scope, 'Deny')), { ...ask, port: 22 })).toBe(true);
    }
    // All interfaces together have no untracked policy.
    expect(allows(on('*', early(untracked, 'Allow')), ask)).toBe(false);
    expect(allows(on('*', early(preDNAT, 'Allow')), ask)).toBe(true);
  });

  test('a workload reaches its own host only if that is configured', () => {
    expect(explain({}, { to: 'h1' })).toMatchObject({
      action: 'deny',
      steps: [{ action: 'allow' }, { action: 'deny', note: 'defaultEndpointToHostAction is Drop' }],
    });
    const felixConfigurations = [
      resource(
        'FelixConfiguration',
        { name: 'default' },
        { defaultEndpointToHostAction: 'Return' },
      ),
    ];
    expect(allows({ felixConfigurations }, { to: 'h1' })).toBe(true);
  });

  test('a host reaches itself and its own workloads, whatever policies say', () => {
    const given = { hostEndpoints: [hostEndpoint()], workloads: [workload('a', '10.65.0.1')] };
    expect(allows(given, { from: 'h1', to: 'a' })).toBe(true);
    expect(allows(given, { from: 'h1', to: 'h1' })).toBe(true);
  });

  test('a port of the host that leads to a workload is named', () => {
    const ports = [{ protocol: 'TCP', port: 80, hostPort: 8080 }];
    const given = { workloads: [workload('a', '10.65.0.1', {}, { ports })] };
    const ask = { from: '192.0.2.1', to: 'h1' };
    expect(explain(given, { ...ask, port: 8080 }).notes).toEqual([
      expect.stringMatching(/^port 8080 of h1 leads to port 80 of prod\//),
    ]);
    expect(explain(given, ask).notes).toEqual([]);
  });

  describe('traffic that a host forwards', () => {
    const forward = globalPolicy('forward', {
      applyOnForward: true,
      selector: 'has(host)',
      types: ['Ingress'],
      ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [443] } }],
    });
    const on = (name: string, interfaceName: string, labels: object = { host: 'x' }) =>
      resource('HostEndpoint', { name, labels }, { node: 'h1', interfaceName });
    const ask = { from: '192.0.2.1', to: 'b' };

    test('is judged by policies that say so, and is open without them', () => {
      const given = { hostEndpoints: [on('h1-all', '*')], policies: [forward] };
      expect(explain(given, ask).steps[0]?.judgement?.decision.reason).toBe(
        'no rule matches, and tier default denies what its policies do not decide',
      );
      expect(allows(given, { ...ask, port: 443 })).toBe(true);
      // Failsafe ports are the host's own, and egress has no policy.
      expect(allows(given, { ...ask, port: 22 })).toBe(false);
      expect(allows(given, { from: 'b', to: '192.0.2.1' })).toBe(true);
      expect(allows({ hostEndpoints: [on('h1-all', '*')] }, ask)).toBe(true);
    });

    test('is decided where all interfaces agree; else the one that it takes has to be said', () => {
      const given = {
        hostEndpoints: [on('eth0', 'eth0'), on('eth1', 'eth1', {})],
        policies: [forward],
      };
      const { notes, action } = explain(given, ask);
      expect(action).toBe('allow');
      expect(notes).toEqual([expect.stringContaining('host endpoint eth0 (eth0)')]);
      expect(explain(given, { ...ask, port: 443 }).notes).toEqual([]);
      const through = (interfaceName: string) => explain(given, { ...ask, interfaceName }).action;
      expect([through('eth0'), through('eth1'), through('eth2')]).toEqual([
        'deny',
        'allow',
        'allow',
      ]);
    });
  });
});

test('what would let a flow through: the rules that come closest, and what they miss', () => {
  const policies = [
    policy('p', {
      selector: "app == 'b'",
      ingress: [
        { action: 'Allow', protocol: 'UDP', source: { nets: ['192.0.2.0/24'] } },
        { action: 'Allow', protocol: 'TCP', destination: { ports: [443] } },
      ],
    }),
  ];
  expect(explain({ policies }).steps.at(-1)?.hints).toEqual([
    'rule 2 of NetworkPolicy prod/p would allow it, but destination port 80 is not 443',
    'rule 1 of NetworkPolicy prod/p would allow it, but is for protocol UDP; source 10.65.0.1 is not in 192.0.2.0/24',
  ]);
});

test('staged policies are not enforced; with them, each takes the place of the one of its name or takes it away', () => {
  const enforced = policy('p', { selector: "app == 'b'", ingress: [{ action: 'Deny' }] });
  const staged = (stagedAction: string) =>
    resource(
      'StagedNetworkPolicy',
      { name: 'p', namespace: 'prod' },
      {
        stagedAction,
        ...(stagedAction === 'Set' && { selector: "app == 'b'", ingress: [{ action: 'Allow' }] }),
      },
    );
  const given = (action: string) => inputs({ policies: [enforced], staged: [staged(action)] });
  expect(verdict(given('Set'))).toBe('deny: NetworkPolicy prod/p 1');
  expect(verdict(withStaged(given('Set')))).toBe('allow: NetworkPolicy prod/p 1');
  expect(verdict(withStaged(given('Delete')))).toBe('allow: Profile open 1');
  expect(verdict(withStaged(given('Ignore')))).toBe('deny: NetworkPolicy prod/p 1');
});

test('the order of the resources does not matter', () => {
  const given = inputs({
    tiers: [tier('x', { order: 1 }), tier('y', { order: 1 })],
    policies: [
      globalPolicy('y.q', { tier: 'y', ingress: [{ action: 'Deny' }] }),
      globalPolicy('x.p', { tier: 'x', ingress: [{ action: 'Pass' }] }),
    ],
  });
  const reversed = Object.fromEntries(
    Object.entries(given).map(([key, list]) => [key, list.toReversed()]),
  );
  expect(verdict(given)).toBe('deny: GlobalNetworkPolicy y.q 1');
  expect(verdict(reversed)).toBe(verdict(given));
});
