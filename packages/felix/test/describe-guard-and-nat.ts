import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestNamespace } from '@overland/linux/testing';
import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { PolicyInputs } from '../src/calc/policy/policy-inputs.ts';
import { PolicyView } from '../src/calc/policy/policy-view.ts';
import type { PolicyState } from '../src/calc/policy-state.ts';
import { policyStateOf } from '../src/calc/policy-state-of.ts';
import {
  address,
  HOST,
  hostAddress,
  linkTo,
  loadNft,
  type Place,
  type PolicyNetwork,
  policyNetwork,
} from './policy-network.ts';

const TIMEOUT_MS = 60_000;
const ENDS = new URL('tcp-ends.py', import.meta.url).pathname;
const SEND_AS = new URL('send-as.py', import.meta.url).pathname;
const OUTSIDE: Place = 9;
const FLOATING = '192.0.2.10';

function resource(kind: string, metadata: object, spec: object): AnyResource {
  const manifest = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return completeResource(parseManifest(manifest));
}

function workload(place: Place, spec: object = {}): AnyResource {
  return resource(
    'WorkloadEndpoint',
    { namespace: 'prod' },
    {
      orchestrator: 'cni',
      node: 'h1',
      containerID: `c${place}`,
      endpoint: 'eth0',
      workload: `w${place}`,
      interfaceName: linkTo(place),
      ipNetworks: [`${address(place, 4)}/32`, `${address(place, 6)}/128`],
      profiles: ['projectcalico-default-allow'],
      ...spec,
    },
  );
}

interface Given {
  readonly workloads?: readonly AnyResource[];
  readonly pools?: readonly AnyResource[];
  readonly felix?: object;
}

function stateOf({ workloads, pools = [], felix = {} }: Given): PolicyState {
  const spec = { defaultEndpointToHostAction: 'Return', ...felix };
  const view = new PolicyView({
    ...{ tiers: [], policies: [], staged: [], profiles: [], hostEndpoints: [], networkSets: [] },
    ...{ nodes: [], pools, workloads: workloads ?? [workload(1), workload(2), workload(3)] },
    felixConfigurations: [resource('FelixConfiguration', { name: 'default' }, spec)],
  } as unknown as PolicyInputs);
  return policyStateOf(view, 'h1');
}

/**
 * Packets are forged, servers asked whom they see, connections counted.
 *
 * @param program Makes the packet filter enforce a state, and nothing else. It returns what it holds.
 */
export function describeGuardAndNat(
  name: string,
  program: (router: TestNamespace, state: PolicyState) => Promise<string>,
): void {
  describe(`guard, limits and address translation by ${name}`, () => {
    let net: PolicyNetwork;
    const servers: ChildProcess[] = [];

    beforeAll(async () => {
      net = await policyNetwork();
      for (const place of [1, 2, 8, OUTSIDE] as const) servers.push(await serve(place));
      // As the agent sets it where a workload has a port of the host.
      await net.router.exec(['sysctl', '-qw', 'net.ipv4.conf.cali1.route_localnet=1']);
    }, TIMEOUT_MS);

    afterAll(async () => {
      for (const server of servers) {
        server.kill();
        await once(server, 'exit');
      }
      await net[Symbol.asyncDispose]();
    }, TIMEOUT_MS);

    /** The host filters as the resources say. */
    async function filter(given: Given): Promise<void> {
      await program(net.router, stateOf(given));
    }

    /** Tells every client at port 80 who it is. */
    async function serve(place: Place): Promise<ChildProcess> {
      const { name } = net.host(place).ns;
      const argv = ['netns', 'exec', name, 'python3', ENDS, 'serve', '80'];
      const server = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
      if (server.stdout) await once(server.stdout, 'data');
      return server;
    }

    /** @returns What the server says, `refused` or `timeout`, of each connection. */
    async function ask(from: Place, to: string, port = 80, count = 1): Promise<string[]> {
      const args = ['ask', to, String(port), String(count)];
      const said = await net.host(from).ns.exec(['python3', ENDS, ...args]);
      return said.trim().split('\n');
    }

    const seenAs = (said: readonly string[]) => said[0]?.split(' ')[0];

    test('a workload sends from its own addresses only', { timeout: TIMEOUT_MS }, async () => {
      const mac = '02:00:00:00:00:01';
      await filter({
        workloads: [
          workload(1, { mac: mac.toUpperCase() }),
          workload(2, { allowSpoofedSourcePrefixes: ['198.51.100.0/24'] }),
        ],
        felix: { workloadSourceSpoofing: 'Any' },
      });
      await net.host(1).ns.ip('link', 'set', 'eth0', 'address', mac);
      const hardware = async (ns: PolicyNetwork['router'], device: string) =>
        (await ns.exec(['cat', `/sys/class/net/${device}/address`])).trim();
      const other = '02:00:00:00:00:99';
      const own2 = await hardware(net.host(2).ns, 'eth0');
      const [outside4, outside6] = [address(OUTSIDE, 4), address(OUTSIDE, 6)];
      const sent: readonly [Place, string, string, string, boolean][] = [
        [1, mac, address(1, 4), outside4, true],
        [1, mac, address(1, 6), outside6, true],
        [1, mac, address(2, 4), outside4, false],
        [1, mac, address(2, 6), outside6, false],
        [1, mac, '0.0.0.0', outside4, false],
        [1, mac, 'fd00:dead::1', outside6, false],
        [1, other, address(1, 4), outside4, false],
        [1, other, address(1, 6), outside6, false],
        // Nothing is known of the MAC address of the second.
        [2, other, address(2, 4), outside4, true],
        [2, own2, '198.51.100.7', outside4, true],
        [2, own2, '198.51.101.7', outside4, false],
        [1, mac, '198.51.100.7', outside4, false],
        // Who is no workload that is known sends nothing.
        [3, other, address(3, 4), outside4, false],
      ];
      // The neighbours that the host forwards to.
      await net.router.exec(['ping', '-q', '-c', '1', outside4]);
      await net.router.exec(['ping', '-q', '-c', '1', outside6]);
      let id = 100;
      const expected = new Map<number, boolean>();
      for (const [place, from, source, destination, passes] of sent) {
        const gateway = await hardware(net.router, linkTo(place));
        id += 1;
        const args = ['eth0', from, source, gateway, destination, String(id)];
        await net.host(place).ns.exec(['python3', SEND_AS, ...args]);
        expected.set(id, passes);
      }
      const loopback = [
        'eth0',
        mac,
        address(1, 4),
        await hardware(net.router, 'cali1'),
        '127.0.0.1',
      ];
      await net.host(1).ns.exec(['python3', SEND_AS, ...loopback, '99']);
      await vi.waitFor(
        async () => {
          const arrived = await net.host(OUTSIDE).arrived();
          expect(new Map(Array.from(expected.keys(), (one) => [one, arrived.has(one)]))).toEqual(
            expected,
          );
        },
        { timeout: 5000 },
      );
      expect(await net.host(HOST).arrived()).not.toContain(99);
    });

    const pool = (cidr: string, natOutgoing: boolean) =>
      resource('IPPool', { name: cidr.replaceAll(/[./:]/g, '-') }, { cidr, natOutgoing });

    test('what is outside all pools is reached under the address of the host', {
      timeout: TIMEOUT_MS,
    }, async () => {
      await filter({
        pools: [
          pool('10.65.1.0/24', true),
          pool('10.65.2.0/23', false),
          pool('fd00:65:1::/64', true),
        ],
      });
      expect(seenAs(await ask(1, address(OUTSIDE, 4)))).toBe(hostAddress(OUTSIDE, 4));
      expect(seenAs(await ask(1, address(OUTSIDE, 6)))).toBe(hostAddress(OUTSIDE, 6));
      expect(seenAs(await ask(1, address(2, 4)))).toBe(address(1, 4));
      expect(seenAs(await ask(3, address(OUTSIDE, 4)))).toBe(address(3, 4));
      expect(seenAs(await ask(3, address(OUTSIDE, 6)))).toBe(address(3, 6));
    });

    test('address, ports and interface of outgoing translation are as configured', {
      timeout: TIMEOUT_MS,
    }, async () => {
      await filter({
        pools: [pool('10.65.0.0/22', true)],
        felix: {
          natOutgoingAddress: '192.0.2.77',
          natPortRange: '40000:40010',
          iptablesNATOutgoingInterfaceFilter: 'eth9',
        },
      });
      await net.router.ip('address', 'add', '192.0.2.77/32', 'dev', 'lo');
      const [said = ''] = await ask(1, address(OUTSIDE, 4));
      expect(said).toMatch(/^192\.0\.2\.77 400(0\d|10)$/);
      expect(seenAs(await ask(1, address(8, 4)))).toBe(address(1, 4));
    });

    test('a port of the host leads to the workload from everywhere', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const ports = [
        { protocol: 'TCP', port: 80, hostPort: 8080 },
        { protocol: 'TCP', port: 80, hostPort: 8081, hostIP: `${hostAddress(8, 4)}/32` },
      ];
      const taken = [{ protocol: 'TCP', port: 81, hostPort: 8080 }];
      await filter({
        workloads: [workload(1, { ports }), workload(2, { ports: taken })],
      });
      const host = address(HOST, 4);
      expect(seenAs(await ask(OUTSIDE, host, 8080))).toBe(address(OUTSIDE, 4));
      expect(seenAs(await ask(2, host, 8080))).toBe(address(2, 4));
      expect(seenAs(await ask(HOST, host, 8080))).toBe(host);
      expect(seenAs(await ask(HOST, '127.0.0.1', 8080))).toBe(hostAddress(1, 4));
      // Itself, by way of the host.
      expect(seenAs(await ask(1, host, 8080))).toBe(hostAddress(1, 4));
      expect(seenAs(await ask(8, hostAddress(8, 4), 8081))).toBe(address(8, 4));
      expect(await ask(OUTSIDE, host, 8081)).toEqual(['refused']);
    });

    test('a port of the host leads to the workload over IPv6, too', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const ports = [{ protocol: 'TCP', port: 80, hostPort: 8080 }];
      await filter({ workloads: [workload(1, { ports }), workload(2)] });
      const host = address(HOST, 6);
      expect(seenAs(await ask(OUTSIDE, host, 8080))).toBe(address(OUTSIDE, 6));
      expect(seenAs(await ask(2, host, 8080))).toBe(address(2, 6));
      expect(seenAs(await ask(HOST, host, 8080))).toBe(host);
      expect(seenAs(await ask(1, host, 8080))).toBe(hostAddress(1, 6));
    });

    test('a floating address leads to the workload, if that is switched on', {
      timeout: TIMEOUT_MS,
    }, async () => {
      const ipNATs = [{ internalIP: address(1, 4), externalIP: FLOATING }];
      const workloads = [workload(1, { ipNATs }), workload(2)];
      await filter({ workloads, felix: { floatingIPs: 'Enabled' } });
      expect(seenAs(await ask(OUTSIDE, FLOATING))).toBe(address(OUTSIDE, 4));
      expect(seenAs(await ask(2, FLOATING))).toBe(address(2, 4));
      expect(seenAs(await ask(1, FLOATING))).toBe(FLOATING);
      expect(await program(net.router, stateOf({ workloads }))).not.toContain(FLOATING);
    });

    test('more connections and packets than its limits a workload neither gets nor sends', {
      timeout: TIMEOUT_MS,
    }, async () => {
      await filter({
        workloads: [
          workload(1, { qosControls: { ingressMaxConnections: 2 } }),
          workload(2, { qosControls: { egressMaxConnections: 1 } }),
          workload(3, { qosControls: { egressPacketRate: 1, egressPacketBurst: 7 } }),
        ],
      });
      const outcomes = async (from: Place, to: Place, count: number) =>
        (await ask(from, address(to, 4), 80, count)).map((one) => /^\d/.test(one));
      expect(await outcomes(OUTSIDE, 1, 4)).toEqual([true, true, false, false]);
      expect(await outcomes(2, OUTSIDE, 2)).toEqual([true, false]);
      // Those that have ended count no more.
      await vi.waitFor(async () => expect(await outcomes(OUTSIDE, 1, 2)).toEqual([true, true]), {
        timeout: 10_000,
      });
      const burst = Array.from({ length: 40 }, (_, i) => {
        const ends = { from: 3, to: OUTSIDE, version: 4, protocol: 17 } as const;
        return { ...ends, id: 2000 + i, port: 53, type: 0 };
      });
      await net.host(3).send(burst);
      const arrivals = async () =>
        [...(await net.host(OUTSIDE).arrived())].filter((id) => id >= 2000).length;
      await vi.waitFor(async () => expect(await arrivals()).toBeGreaterThanOrEqual(7));
      expect(await arrivals()).toBeLessThan(30);
    });

    test('what a workload sends has its code point, what others send has their own', {
      timeout: TIMEOUT_MS,
    }, async () => {
      await filter({ workloads: [workload(1, { qosControls: { dscp: 'AF31' } }), workload(2)] });
      const outside = net.host(OUTSIDE).ns;
      const hook = 'type filter hook input priority 0;';
      const rules = 'ip dscp af31 counter\nip6 dscp af31 counter';
      await loadNft(outside, `table inet seen {\nchain c {\n${hook}\n${rules}\n}\n}\n`);
      const seen = async () =>
        [
          ...(await outside.exec(['nft', 'list', 'table', 'inet', 'seen'])).matchAll(
            /packets (\d+)/g,
          ),
        ].map(([, packets]) => Number(packets));
      const askAll = async (from: Place) => {
        for (const version of [4, 6] as const) {
          const said = await ask(from, address(OUTSIDE, version));
          expect(seenAs(said)).toBe(address(from, version));
        }
      };
      await askAll(2);
      expect(await seen()).toEqual([0, 0]);
      await askAll(1);
      for (const packets of await seen()) expect(packets).toBeGreaterThan(1);
      await outside.exec(['nft', 'delete', 'table', 'inet', 'seen']);
    });
  });
}
