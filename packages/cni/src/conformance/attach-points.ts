import { isAtLeast, type SpecVersion } from '../spec-version.ts';
import { addressesOf, type Bench, type Container, demandError, type Run } from './bench.ts';
import { demand, type Point } from './verdict.ts';

const KILLS = 12;

/** What ADD does: 10 to 16, 38 and 39. */
export const ATTACH_POINTS: readonly Point<Bench>[] = [
  {
    number: 10,
    title: 'ADD makes the interface, up, with what it reports',
    async check(bench) {
      const container = await bench.container();
      const { answer } = await bench.add(container);
      const link = await container.kernel.links.get('eth0');
      demand(link !== undefined, 'there is no eth0 in the container');
      demand(link.up, 'eth0 is down');
      const told = insideOf(answer, container);
      demand(
        told?.mac?.toLowerCase() === link.mac,
        `it reports MAC ${told?.mac}, eth0 has ${link.mac}`,
      );
      demand(
        !told?.mtu || told.mtu === link.mtu,
        `it reports MTU ${told?.mtu}, eth0 has ${link.mtu}`,
      );
      const held = await addressesOf(container.kernel, 'eth0');
      for (const address of addressesIn(answer)) {
        demand(held.includes(address), `it reports ${address}, eth0 has ${held.join(' ')}`);
      }
      await bench.del(container);
    },
  },
  {
    number: 11,
    title: 'the result names both ends, and whose the addresses are',
    async check(bench) {
      const container = await bench.container();
      const { answer } = await bench.add(container);
      demand(answer.cniVersion === bench.version, `cniVersion is ${answer.cniVersion}`);
      const interfaces: { name: string; sandbox?: string }[] = answer.interfaces ?? [];
      const at = interfaces.findIndex(({ sandbox }) => sandbox === container.netns);
      demand(interfaces[at]?.name === 'eth0', 'no interface eth0 with CNI_NETNS as its sandbox');
      const outside = interfaces.filter(({ sandbox }) => !sandbox);
      demand(outside.length > 0, 'no interface of the host');
      for (const { name } of outside) {
        demand((await bench.host.links.get(name)) !== undefined, `the host has no ${name}`);
      }
      const owners = (answer.ips as { interface?: number }[]).map((ip) => ip.interface);
      demand(owners.length > 0, 'no addresses');
      demand(
        owners.every((one) => one === at),
        `ips[].interface is ${owners}, eth0 is ${at}`,
      );
      await bench.del(container);
    },
  },
  {
    number: 12,
    title: 'the result has the form of each version that it knows',
    async check(bench) {
      for (const version of bench.versions) {
        const container = await bench.container();
        const config = { cniVersion: version };
        const { answer } = await bench.add(container, { config });
        demandForm(answer, version);
        await bench.del(container, { config });
      }
    },
  },
  {
    number: 13,
    title: 'ADD fails if the interface name is taken, and leaves nothing',
    async check(bench) {
      const container = await bench.container();
      const peer = { name: 'other0', namespace: container.netns };
      await container.kernel.links.createVeth({ name: 'eth0', mtu: 1500, peer });
      const before = await bench.hostState();
      demandError(await bench.run('ADD', container), 'ADD of a name that is taken');
      const link = await container.kernel.links.get('eth0');
      demand(link !== undefined, 'the interface that was there is gone');
      await bench.demandSameHost(before, 'after it');
    },
  },
  {
    number: 14,
    title: 'a second ADD of the same fails, or answers the same',
    async check(bench) {
      const before = await bench.hostState();
      const container = await bench.container();
      const first = await bench.add(container);
      const second = await bench.run('ADD', container);
      const isSame =
        second.code === 0 && JSON.stringify(second.answer) === JSON.stringify(first.answer);
      demand(second.code !== 0 || isSame, `the second ADD answers another result`);
      await bench.del(container);
      await bench.demandSameHost(before, 'after one DEL');
    },
  },
  {
    number: 15,
    title: 'ADD refuses what is no network namespace, code 3 or 4, and its own',
    async check(bench) {
      const before = await bench.hostState();
      for (const netns of ['/run/netns/conformance-none', '/etc/passwd']) {
        const run = await bench.run('ADD', { id: 'conformance-none', netns });
        demandError(run, `ADD with the namespace ${netns}`, [3, 4]);
      }
      const own = await bench.run('ADD', { id: 'conformance-own', netns: '/proc/self/ns/net' });
      demandError(own, "ADD with the plugin's own namespace");
      await bench.demandSameHost(before, 'after it');
    },
  },
  {
    number: 16,
    title: 'ADD killed at any moment leaves nothing after DEL',
    async check(bench) {
      const whole = await bench.container();
      const { milliseconds } = await bench.add(whole);
      await bench.del(whole);
      const before = await bench.hostState();
      for (let kill = 0; kill < KILLS; kill++) {
        const container = await bench.container();
        const killAfterMs = Math.max(1, Math.round((milliseconds * kill) / KILLS));
        await bench.run('ADD', { ...container, killAfterMs });
        await bench.del(container);
        await bench.demandSameHost(before, `killed after ${killAfterMs} ms, then DEL:`);
        const inside = (await container.kernel.links.list()).map(({ name }) => name);
        demand(!inside.includes('eth0'), `killed after ${killAfterMs} ms, then DEL: eth0 is left`);
      }
    },
  },
  {
    number: 38,
    title: 'ADDs at the same time give different addresses, DELs among them',
    async check(bench) {
      const before = await bench.hostState();
      const containers: Container[] = [];
      for (let at = 0; at < bench.options.concurrency; at++)
        containers.push(await bench.container());
      const half = containers.slice(0, containers.length / 2);
      const rest = containers.slice(containers.length / 2);
      await Promise.all(half.map((container) => bench.add(container)));
      const [added] = await Promise.all([
        Promise.all(rest.map((container) => bench.add(container))),
        Promise.all(half.map((container) => bench.del(container))),
      ]);
      const addresses = added.flatMap(({ answer }) => addressesIn(answer));
      const different = new Set(addresses).size;
      demand(
        different === addresses.length,
        `${addresses.length} addresses, ${different} different`,
      );
      await Promise.all(rest.map((container) => bench.del(container)));
      await bench.demandSameHost(before, 'after all DELs');
    },
  },
  {
    number: 39,
    title: 'a second interface, of the same or another network; DEL of one leaves the other',
    async check(bench) {
      const container = await bench.container();
      const first = await bench.add(container);
      const other = { ifname: 'eth1', config: { name: 'conformance-2' } };
      await bench.add(container, other);
      await bench.add(container, { ifname: 'eth2' });
      await bench.del(container, other);
      await bench.del(container, { ifname: 'eth2' });
      demand((await container.kernel.links.get('eth1')) === undefined, 'eth1 is left');
      const held = await addressesOf(container.kernel, 'eth0');
      for (const address of addressesIn(first.answer)) {
        demand(held.includes(address), `eth0 has lost ${address}`);
      }
      const defaults = (await container.kernel.routes.list('ipv4')).filter(
        ({ destination }) => destination === '0.0.0.0/0',
      );
      const [way] = (first.answer.routes ?? []) as { dst: string }[];
      demand(way?.dst !== '0.0.0.0/0' || defaults.length > 0, 'eth0 has lost its default route');
      await bench.del(container);
    },
  },
];

/** The container's end in a result. */
function insideOf(answer: Run['answer'], { netns }: Container) {
  const interfaces: { name: string; mac?: string; mtu?: number; sandbox?: string }[] =
    answer?.interfaces ?? [];
  return interfaces.find(({ name, sandbox }) => name === 'eth0' && sandbox === netns);
}

/** With prefix length. */
export function addressesIn(answer: Run['answer']): string[] {
  return ((answer?.ips ?? []) as { address: string }[]).map(({ address }) => address);
}

function demandForm(answer: Run['answer'], version: SpecVersion): void {
  const when = `the result of ${version}`;
  demand(answer?.cniVersion === version, `${when} says it is of ${answer?.cniVersion}`);
  if (!isAtLeast(version, '0.3.0')) {
    demand(typeof (answer.ip4 ?? answer.ip6)?.ip === 'string', `${when} has neither ip4 nor ip6`);
    demand(answer.ips === undefined, `${when} has ips`);
    return;
  }
  demand(Array.isArray(answer.ips) && answer.ips.length > 0, `${when} has no ips`);
  demand(Array.isArray(answer.interfaces), `${when} has no interfaces`);
  const hasVersions = !isAtLeast(version, '1.0.0');
  for (const ip of answer.ips as { version?: string; address: string }[]) {
    const wanted = hasVersions ? (ip.address.includes(':') ? '6' : '4') : undefined;
    demand(ip.version === wanted, `${when}: ips[].version is ${ip.version}, not ${wanted}`);
  }
}
