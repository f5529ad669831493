import { type AnyResource, parseManifest, resourceKey } from '@overland/model';
import { expect, test } from 'vitest';
import { MemoryDatastore } from '../memory/memory-datastore.ts';
import { ResourceClient } from './resource-client.ts';

const RULE = {
  action: 'Allow',
  ipVersion: 4,
  protocol: 'TCP',
  notProtocol: 17,
  source: {
    nets: ['10.0.0.0/8'],
    notNets: ['10.1.0.0/16'],
    selector: "role == 'web'",
    notSelector: 'has(canary)',
    namespaceSelector: "env == 'prod'",
    ports: [80, '1000:2000', 'http'],
    notPorts: [1500],
    serviceAccounts: { names: ['api'], selector: 'has(trusted)' },
  },
  destination: { ports: [443] },
  http: { methods: ['GET'], paths: [{ exact: '/a' }, { prefix: '/b' }] },
  metadata: { annotations: { why: 'because' } },
};
const EGRESS = [
  { action: 'Pass', destination: { services: { name: 'dns', namespace: 'kube-system' } } },
  { action: 'Log', protocol: 'ICMP', icmp: { type: 8, code: 0 }, notICMP: { type: 0 } },
];
const POLICY = {
  tier: 'security',
  order: 10.5,
  selector: 'all()',
  serviceAccountSelector: 'has(a)',
  types: ['Ingress', 'Egress'],
  ingress: [RULE],
  egress: EGRESS,
  performanceHints: ['AssumeNeededOnEveryNode'],
};
const GLOBAL = { ...POLICY, namespaceSelector: 'all()', applyOnForward: true, doNotTrack: true };
const KUBERNETES = {
  podSelector: { matchLabels: { a: 'b' } },
  policyTypes: ['Ingress'],
  ingress: [
    {
      from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
      ports: [{ protocol: 'UDP', port: 53, endPort: 54 }],
    },
  ],
};

/** Every field of every kind that has to do with policy, as Calico stores it. */
const SPECS: [kind: string, namespace: string | undefined, spec: object][] = [
  ['NetworkPolicy', 'prod', POLICY],
  ['GlobalNetworkPolicy', undefined, GLOBAL],
  ['StagedNetworkPolicy', 'prod', { stagedAction: 'Set', ...POLICY }],
  ['StagedGlobalNetworkPolicy', undefined, { stagedAction: 'Learn', ...GLOBAL }],
  ['StagedKubernetesNetworkPolicy', 'prod', { stagedAction: 'Set', ...KUBERNETES }],
  ['Tier', undefined, { order: 7, defaultAction: 'Pass' }],
  ['NetworkSet', 'prod', { nets: ['10.0.0.0/8', '2001:db8::/32'] }],
  ['GlobalNetworkSet', undefined, { nets: ['10.0.0.1/32'] }],
  [
    'Profile',
    undefined,
    { ingress: [RULE], egress: EGRESS, labelsToApply: { 'pcns.env': 'prod' } },
  ],
  [
    'HostEndpoint',
    undefined,
    {
      node: 'h1',
      interfaceName: 'eth0',
      expectedIPs: ['10.0.0.1', '2001:db8::1'],
      profiles: ['projectcalico-default-allow'],
      ports: [{ name: 'ssh', protocol: 'TCP', port: 22 }],
    },
  ],
];
const TIERED = /^(Staged)?(Global)?NetworkPolicy$/;

test.each(SPECS)(
  '%s is stored as Calico stores it, and read back equal',
  async (kind, namespace, spec) => {
    const store = new MemoryDatastore();
    const client = new ResourceClient(store, {
      randomUuid: () => 'u',
      now: () => new Date('2026-01-05T10:00:00Z'),
    });
    const name = { name: 'a', ...(namespace && { namespace }) };
    const parse = (of: string, metadata: object, what: object): AnyResource =>
      parseManifest({ apiVersion: 'projectcalico.org/v3', kind: of, metadata, spec: what });
    await client.create(parse('Tier', { name: 'security' }, {}));
    const made = await client.create(parse(kind, { ...name, labels: { team: 'x' } }, spec));

    const entry = await store.get(resourceKey(made.kind, name));
    const isTiered = TIERED.test(kind);
    expect(entry && JSON.parse(entry.value)).toEqual({
      apiVersion: 'projectcalico.org/v3',
      kind,
      metadata: {
        ...name,
        uid: 'u',
        creationTimestamp: '2026-01-05T10:00:00Z',
        labels: { team: 'x', ...(isTiered && { 'projectcalico.org/tier': 'security' }) },
        ...(isTiered && { annotations: { 'projectcalico.org/metadata': '{"name":"a"}' } }),
      },
      spec,
    });
    expect(made.spec).toEqual(spec);
    expect(await client.get(made.kind, name)).toEqual(made);
    expect((await client.list(made.kind)).resources).toContainEqual(made);
    expect(await client.update(made)).toEqual(made);
    await client.delete(made.kind, name);
    expect(await store.get(resourceKey(made.kind, name))).toBeUndefined();
  },
);
