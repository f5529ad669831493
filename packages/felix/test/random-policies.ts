import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import fc from 'fast-check';
import type { PolicyInputs } from '../src/calc/policy/policy-inputs.ts';
import { address, HOST, isOutside, linkTo, PLACES, WORKLOADS } from './policy-network.ts';

function resource(kind: string, metadata: object, spec: object): AnyResource {
  return completeResource(
    parseManifest({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec }),
  );
}

const oneOf = fc.constantFrom;
/** Seldom enough that a rule with many conditions of these still matches something. */
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ arbitrary: fc.constant(undefined), weight: 2 }, { arbitrary, weight: 1 });
const selector = oneOf("x == '1'", "x == '2'", '!has(x)', "y == '1' || x == '1'", 'all()');
const nets4 = fc.subarray(['10.65.0.0/16', '10.65.1.0/24', '10.65.2.1/32', '192.0.2.0/24'], {
  minLength: 1,
});
const nets6 = fc.subarray(['fd00:65::/32', 'fd00:65:1::/64', 'fd00:65:2::1/128'], { minLength: 1 });
/** More than one match of iptables holds. */
const MANY_PORTS = [
  ...Array.from({ length: 14 }, (_, i) => i + 1),
  '60:79',
  '430:450',
  8080,
  'web',
];
const ports = fc.oneof(
  {
    arbitrary: fc.subarray<number | string>([80, 443, '400:500', 'web'], { minLength: 1 }),
    weight: 5,
  },
  { arbitrary: fc.constant(MANY_PORTS), weight: 1 },
);
const names = fc.subarray(['web', 'dns'], { minLength: 1 });

function sideOf(hasPorts: boolean, version: 4 | 6 | undefined): fc.Arbitrary<object> {
  const nets = version === 4 ? nets4 : version === 6 ? nets6 : fc.constant(undefined);
  return fc.record(
    {
      selector: maybe(selector),
      notSelector: maybe(selector),
      namespaceSelector: maybe(oneOf('all()', 'global()')),
      nets: maybe(nets),
      notNets: maybe(nets),
      ports: maybe(hasPorts ? ports : names),
      notPorts: maybe(hasPorts ? ports : names),
    },
    { requiredKeys: [] },
  );
}

const rule = fc
  .record({
    protocol: oneOf(undefined, 'TCP', 'UDP', 'ICMP', 'ICMPv6'),
    family: oneOf(undefined, 4 as const, 6 as const),
  })
  .chain(({ protocol, family }) => {
    const version = protocol === 'ICMP' ? 4 : protocol === 'ICMPv6' ? 6 : family;
    const hasPorts = protocol === 'TCP' || protocol === 'UDP';
    const isIcmp = protocol === 'ICMP' || protocol === 'ICMPv6';
    const echo = oneOf({ type: 8 }, { type: 128 }, { type: 8, code: 0 }, { type: 128, code: 1 });
    const none = fc.constant(undefined);
    return fc.record({
      action: oneOf('Allow', 'Allow', 'Deny', 'Pass', 'Log'),
      protocol: fc.constant(protocol),
      notProtocol: maybe(oneOf('TCP', 'UDP')),
      ipVersion: maybe(version === undefined ? none : fc.constant(version)),
      icmp: isIcmp ? maybe(echo) : none,
      notICMP: maybe(echo),
      source: maybe(isIcmp ? none : sideOf(false, version).map(withoutPorts)),
      destination: maybe(sideOf(hasPorts, version).map(isIcmp ? withoutPorts : (side) => side)),
    });
  });

function withoutPorts(side: object): object {
  return { ...side, ports: undefined, notPorts: undefined };
}

const spec = fc.record({
  order: maybe(fc.integer({ min: 1, max: 3 })),
  selector: maybe(selector),
  types: fc.subarray(['Ingress', 'Egress'], { minLength: 1 }),
  ingress: fc.array(rule, { maxLength: 4 }),
  egress: fc.array(rule, { maxLength: 4 }),
});

const labels = fc.record({ x: maybe(oneOf('1', '2')), y: maybe(oneOf('1', '2')) });

/** Resources without what is `undefined`. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** Name of the only host. */
export const NODE = 'h1';

/** Clusters with policies of all kinds of conditions. */
export const cluster = fc
  .record({
    labels: fc.tuple(labels, labels, labels),
    profiles: fc.tuple(oneOf('open', 'closed', 'lost'), oneOf('open', 'closed'), oneOf('open')),
    tierDefault: oneOf('Deny', 'Pass'),
    policies: fc.array(fc.record({ spec, tier: oneOf('default', 'security', 'lost') }), {
      maxLength: 4,
    }),
    set: nets4,
  })
  .map((given): PolicyInputs => {
    const { profiles, tierDefault, policies } = plain(given);
    const allow = [{ action: 'Allow' }];
    const inputs = {
      tiers: [resource('Tier', { name: 'security' }, { order: 10, defaultAction: tierDefault })],
      policies: policies.map(({ spec: given, tier }, i) => {
        const name = tier === 'default' ? `p${i}` : `${tier}.p${i}`;
        return i % 2 === 0
          ? resource('GlobalNetworkPolicy', { name }, { ...given, tier })
          : resource('NetworkPolicy', { name, namespace: 'prod' }, { ...given, tier });
      }),
      staged: [],
      profiles: [
        resource('Profile', { name: 'open' }, { ingress: allow, egress: allow }),
        resource('Profile', { name: 'closed' }, { egress: allow }),
      ],
      workloads: WORKLOADS.map((place, i) =>
        resource(
          'WorkloadEndpoint',
          { namespace: 'prod', labels: plain(given.labels[i] ?? {}) },
          {
            orchestrator: 'cni',
            node: NODE,
            containerID: `c${place}`,
            endpoint: 'eth0',
            workload: `w${place}`,
            interfaceName: linkTo(place),
            ipNetworks: [`${address(place, 4)}/32`, `${address(place, 6)}/128`],
            profiles: [profiles[i]],
            ports: [
              { name: 'web', protocol: 'TCP', port: 8080 },
              { name: 'dns', protocol: 'UDP', port: 53 },
            ],
          },
        ),
      ),
      hostEndpoints: [],
      networkSets: [
        resource('GlobalNetworkSet', { name: 's', labels: { x: '1' } }, { nets: given.set }),
      ],
      felixConfigurations: [],
      nodes: [],
    };
    return inputs as unknown as PolicyInputs;
  });

/** What a policy says of its place on the way. */
const scope = oneOf(
  {},
  { applyOnForward: true },
  { applyOnForward: true },
  { applyOnForward: true, preDNAT: true },
  { applyOnForward: true, doNotTrack: true },
);

/** The same with endpoints of the host, and policies about what they let through. */
export const clusterWithHost = fc
  .record({
    cluster,
    endpoints: fc.subarray(['eth8', 'eth9', '*'], { minLength: 1 }),
    labels: fc.tuple(labels, labels, labels),
    profile: oneOf('open', 'closed', undefined),
    policies: fc.array(fc.record({ scope, spec, tier: oneOf('default', 'security') }), {
      minLength: 1,
      maxLength: 5,
    }),
    endpointToHost: oneOf('Drop', 'Return', 'Accept'),
  })
  .map(({ cluster: inputs, endpoints, profile, ...given }): PolicyInputs => {
    const { policies, endpointToHost } = plain(given);
    const hostEndpoints = endpoints.map((interfaceName, i) =>
      resource(
        'HostEndpoint',
        {
          name: interfaceName === '*' ? 'all' : interfaceName,
          labels: plain(given.labels[i] ?? {}),
        },
        {
          node: NODE,
          interfaceName,
          expectedIPs: interfaceName === 'eth9' ? [address(HOST, 4), address(HOST, 6)] : [],
          profiles: profile === undefined ? [] : [profile],
        },
      ),
    );
    const hostPolicies = policies.map(({ scope: { preDNAT, ...where }, spec: rules, tier }, i) => {
      const { egress, ...rest } = rules;
      const early = preDNAT ? { ...rest, preDNAT, types: ['Ingress'] } : rules;
      return resource(
        'GlobalNetworkPolicy',
        { name: `${tier === 'default' ? '' : `${tier}.`}host${i}` },
        { ...early, ...where, tier },
      );
    });
    return {
      ...inputs,
      policies: [...inputs.policies, ...hostPolicies],
      hostEndpoints,
      nodes: [
        resource(
          'Node',
          { name: NODE },
          {
            addresses: [{ address: address(HOST, 4) }, { address: address(HOST, 6) }],
          },
        ),
      ],
      felixConfigurations: [
        resource(
          'FelixConfiguration',
          { name: 'default' },
          {
            defaultEndpointToHostAction: endpointToHost,
            failsafeInboundHostPorts: [{ protocol: 'TCP', port: 443, net: '10.65.0.0/16' }],
            failsafeOutboundHostPorts: [{ protocol: 'UDP', port: 53 }],
          },
        ),
      ],
    } as unknown as PolicyInputs;
  });

const kind = oneOf(
  ['TCP', 80],
  ['TCP', 443],
  ['TCP', 8080],
  ['UDP', 80],
  ['UDP', 53],
  ['echo', 0],
  ['other', 0],
);

/** First packets of flows between two places. */
const packetBetween = (places: readonly (typeof PLACES)[number][]) =>
  fc
    .record({
      from: oneOf(...places),
      to: oneOf(...places),
      version: oneOf(4 as const, 6 as const),
      kind,
    })
    .filter(({ from, to }) => from !== to);

/** Between workloads and somebody outside. */
export const packet = packetBetween([...WORKLOADS, 9]);

/** From, to and through the host. Who only has it on the way is not asked about. */
export const packetWithHost = packetBetween([HOST, HOST, HOST, ...PLACES]).filter(
  ({ from, to }) => !(isOutside(from) && isOutside(to)),
);
