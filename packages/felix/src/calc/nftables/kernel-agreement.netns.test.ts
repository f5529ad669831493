import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import { parseAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { explainFlow } from '../policy/explain-flow.ts';
import { findPlace } from '../policy/find-place.ts';
import type { PolicyInputs } from '../policy/policy-inputs.ts';
import { PolicyView } from '../policy/policy-view.ts';
import { policyStateOfEndpoints } from '../policy-state-of.ts';
import { renderRuleset } from './render-ruleset.ts';

/** Two runs in soak: an identification of IPv4 has 16 bits, and each packet has one of its own. */
const [RULESETS, SEEDS] = process.env.OVERLAND_SOAK ? [1_500, [6, 7]] : [40, [6]];
const PACKETS = 40;
const TIMEOUT_MS = 60_000 + RULESETS * 1_000;
const SENDER = new URL('../../../test/send-packets.py', import.meta.url).pathname;

/** Three workloads of the host, and somebody outside. */
const PLACES = [1, 2, 3, 9] as const;
type Place = (typeof PLACES)[number];

const OUTSIDE: Place = 9;
const WORKLOADS = PLACES.filter((place) => place !== OUTSIDE);
const address = (place: Place, version: 4 | 6): string =>
  version === 4 ? `10.65.${place}.1` : `fd00:65:${place}::1`;

interface Sent {
  readonly id: number;
  readonly from: Place;
  readonly to: Place;
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly port: number;
  readonly type: number;
}

/** A namespace of a place: it sends what it is told, and notes what arrives. */
class Host implements AsyncDisposable {
  readonly ns: TestNamespace;
  readonly #sender: ChildProcess;
  readonly #said: AsyncIterableIterator<string>;

  constructor(ns: TestNamespace) {
    this.ns = ns;
    const argv = ['netns', 'exec', ns.name, 'python3', SENDER, String(TTL)];
    this.#sender = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#sender;
    if (!stdout) throw new Error('no output');
    this.#said = createInterface(stdout)[Symbol.asyncIterator]();
  }

  async send(packets: readonly Sent[]): Promise<void> {
    const described = packets.map(({ from, to, version, ...packet }) => ({
      ...packet,
      source: address(from, version),
      destination: address(to, version),
    }));
    this.#sender.stdin?.write(`${JSON.stringify(described)}\n`);
    expect((await this.#said.next()).value).toBe('sent');
  }

  /** Identifications of all packets that have arrived so far, of both versions. */
  async arrived(): Promise<Set<number>> {
    const text = await this.ns.exec(['nft', '-j', 'list', 'table', 'inet', 'seen']);
    const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: number[] } }[] };
    return new Set(nftables.flatMap(({ set }) => set?.elem ?? []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender.kill();
    await once(this.#sender, 'exit');
    await this.ns[Symbol.asyncDispose]();
  }
}

/** Of what is sent here, and of nothing that the kernels answer with identifications of their own. */
const TTL = 77;
const SEEN = `table inet seen {
  set v4 { typeof ip id; size 65535; }
  set v6 { typeof ip6 flowlabel; size 65535; }
  chain in { type filter hook prerouting priority raw; policy accept;
    ip ttl ${TTL - 1} add @v4 { ip id }
    ip6 hoplimit ${TTL - 1} add @v6 { ip6 flowlabel }
  }
}`;

async function network() {
  const router = await netns();
  const hosts = new Map<Place, Host>();
  for (const place of PLACES) {
    const ns = await netns();
    await cable(
      {
        namespace: router,
        device: place === OUTSIDE ? 'eth9' : `cali${place}`,
        addresses: [`10.65.${place}.254/24`, `fd00:65:${place}::fe/64`],
      },
      {
        namespace: ns,
        device: 'eth0',
        addresses: [`${address(place, 4)}/24`, `${address(place, 6)}/64`],
      },
    );
    await ns.ip('route', 'add', 'default', 'via', `10.65.${place}.254`);
    await ns.ip('-6', 'route', 'add', 'default', 'via', `fd00:65:${place}::fe`);
    await load(ns, SEEN);
    hosts.set(place, new Host(ns));
  }
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  await router.exec(['sysctl', '-q', '-w', ...forwarding]);
  return {
    router,
    hosts,
    host(place: Place): Host {
      const found = hosts.get(place);
      if (!found) throw new Error(`no place ${place}`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts.values()) await host[Symbol.asyncDispose]();
      await router[Symbol.asyncDispose]();
    },
  };
}

async function load(ns: TestNamespace, ruleset: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nft-'));
  const file = join(directory, 'ruleset');
  await writeFile(file, ruleset);
  await ns.exec(['nft', '-f', file]);
  await rm(directory, { recursive: true });
}

function resource(kind: string, metadata: object, spec: object): AnyResource {
  return completeResource(
    parseManifest({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec }),
  );
}

const oneOf = fc.constantFrom;
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });
const selector = oneOf("x == '1'", "x == '2'", '!has(x)', "y == '1' || x == '1'", 'all()');
const nets4 = fc.subarray(['10.65.0.0/16', '10.65.1.0/24', '10.65.2.1/32', '192.0.2.0/24'], {
  minLength: 1,
});
const nets6 = fc.subarray(['fd00:65::/32', 'fd00:65:1::/64', 'fd00:65:2::1/128'], { minLength: 1 });
const ports = fc.subarray<number | string>([80, 443, '400:500', 'web'], { minLength: 1 });
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

const cluster = fc
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
            node: 'h1',
            containerID: `c${place}`,
            endpoint: 'eth0',
            workload: `w${place}`,
            interfaceName: `cali${place}`,
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

const packet = fc
  .record({
    from: oneOf(...PLACES),
    to: oneOf(...PLACES),
    version: oneOf(4 as const, 6 as const),
    kind: oneOf(
      ['TCP', 80],
      ['TCP', 443],
      ['TCP', 8080],
      ['UDP', 80],
      ['UDP', 53],
      ['echo', 0],
      ['other', 0],
    ),
  })
  .filter(({ from, to }) => from !== to);

function expected(view: PolicyView, inputs: PolicyInputs, sent: Sent): boolean {
  const { from, to, version, protocol, port, type } = sent;
  const find = (place: Place) =>
    findPlace(parseAddress(address(place, version)), view.endpoints, inputs.nodes);
  const isIcmp = protocol === 1 || protocol === 58;
  const kind = isIcmp
    ? { protocol, icmpType: type, icmpCode: 0 }
    : { protocol, destinationPort: port, sourcePort: sent.id & 0xffff };
  const family = version === 4 ? 'ipv4' : 'ipv6';
  return explainFlow({ from: find(from), to: find(to), kind, family }, view).action === 'allow';
}

const CLAIM =
  'what the explainer says of random policies and packets is what the kernel does, seed %i';

test.each(SEEDS)(CLAIM, { timeout: TIMEOUT_MS }, async (seed) => {
  await using net = await network();
  // Neighbours are known before the first packet that counts.
  for (const place of PLACES) {
    for (const version of [4, 6] as const) {
      const to = version === 4 ? `10.65.${place}.254` : `fd00:65:${place}::fe`;
      await net.host(place).ns.exec(['ping', '-q', '-c', '1', '-W', '2', to]);
      await net.router.exec(['ping', '-q', '-c', '1', '-W', '2', address(place, version)]);
    }
  }
  let id = 1000;
  const counts = { allowed: 0, denied: 0 };
  for (const [i, inputs] of fc.sample(cluster, { numRuns: RULESETS, seed }).entries()) {
    const view = new PolicyView(inputs);
    const ruleset = renderRuleset(policyStateOfEndpoints(view, view.endpoints));
    await load(net.router, ruleset);
    const packets = fc
      .sample(packet, { numRuns: PACKETS, seed: seed * RULESETS + i })
      .map(({ kind: [name, port], ...rest }): Sent => {
        id += 1;
        // Timestamps, and queries for a node's information: what conntrack knows besides echoes.
        const types = rest.version === 4 ? { echo: 8, other: 13 } : { echo: 128, other: 139 };
        const icmp = {
          protocol: rest.version === 4 ? 1 : 58,
          type: name === 'echo' ? types.echo : types.other,
        };
        const transport =
          name === 'TCP'
            ? { protocol: 6, type: 0 }
            : name === 'UDP'
              ? { protocol: 17, type: 0 }
              : icmp;
        return { ...rest, id, port: Number(port), ...transport };
      });
    for (const place of PLACES)
      await net.host(place).send(packets.filter(({ from }) => from === place));
    const allowed = new Map(packets.map((sent) => [sent.id, expected(view, inputs, sent)]));
    for (const place of PLACES) {
      const here = packets.filter(({ to }) => to === place);
      await vi.waitFor(
        async () => {
          const arrived = await net.host(place).arrived();
          for (const sent of here) {
            const text = `${JSON.stringify(sent)}\n${ruleset}`;
            expect(arrived.has(sent.id), text).toBe(allowed.get(sent.id));
          }
        },
        { timeout: 3000, interval: 20 },
      );
    }
    for (const isAllowed of allowed.values()) counts[isAllowed ? 'allowed' : 'denied'] += 1;
  }
  console.log(`agreed on ${counts.allowed} packets let through and ${counts.denied} dropped`);
  expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan((RULESETS * PACKETS) / 20);
});
