import { failLinks, healLinks, linksOf, type Topology } from '@overland/lab';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { watchWith } from './fabric/command-log.ts';
import {
  allSessionsUp,
  type ConvergedLab,
  converged,
  killAgent,
  letPass,
  startAgents,
  startConvergedLab,
  typicalPairs,
} from './fabric/converged-lab.ts';
import { type StreamReport, startPingStreams } from './fabric/ping-streams.ts';
import { eventually } from './running-lab.ts';

/**
 * What forwarding goes through while things break: packets between containers, both families, both directions, within and
 * across racks, counted one each 10 ms.
 */

/** Full length in `npm run soak`. */
const AGENT_DOWN_MS = process.env.OVERLAND_SOAK ? 30_000 : 6_000;
const HOLD_MS = 3_000;

let lab: ConvergedLab;
beforeAll(async () => {
  lab = await startConvergedLab('forwarding', 'sqlite');
}, 120_000);
afterAll(() => lab?.[Symbol.asyncDispose]());

beforeEach(() => converged(lab));
afterEach(async () => {
  await healLinks(lab.topology.links, await lab.pids());
});

async function pidOf(node: string): Promise<number> {
  const pid = (await lab.pids()).get(node);
  if (pid === undefined) throw new Error(`${node} does not run`);
  return pid;
}

/** Runs `during` while packets flow between typical pairs. */
async function streamsDuring(during: () => Promise<void>): Promise<StreamReport[]> {
  const stop = await startPingStreams(typicalPairs(lab));
  try {
    await during();
  } catch (error) {
    await stop();
    throw error;
  }
  return stop();
}

function worst(reports: readonly StreamReport[]): StreamReport {
  const [first] = reports.toSorted((a, b) => b.longestLossMs - a.longestLossMs);
  if (!first) throw new Error('no streams');
  return first;
}

describe('paths', () => {
  test('containers see each other without encapsulation and without NAT, over both leaves', async () => {
    const [from, to] = [lab.workloads.get('web-11'), lab.workloads.get('web-21')];
    if (!from || !to) throw new Error('no workloads');
    const spines = await Promise.all(
      (['spine1', 'spine2'] as const).map(async (spine) =>
        watchWith(await pidOf(spine), ['tcpdump', '-n', '-l', '-i', 'any', 'udp'], 'listening on'),
      ),
    );
    const before = await sentPackets();
    const flood = `
      const socket = require('node:dgram').createSocket(process.argv[1].includes(':') ? 'udp6' : 'udp4');
      let left = 64;
      for (let port = 20000; port < 20064; port++)
        socket.send('x', port, process.argv[1], () => { left -= 1; if (left === 0) socket.close(); });
    `;
    for (const address of to.addresses) {
      const inside = ['nsenter', `--net=/run/netns/${from.namespace}`, '--'];
      await lab.run('host11', ...inside, process.execPath, '-e', flood, address);
    }
    const captured = await eventually('a capture of each packet', 5_000, async () => {
      const text = spines.map((spine) => spine.text()).join('');
      const seen = to.addresses.every((address) => text.includes(`> ${address}.2`));
      return seen ? text : undefined;
    });
    await Promise.all(spines.map((spine) => spine.stop()));
    for (const [i, address] of to.addresses.entries()) {
      const source = from.addresses[i] ?? '';
      expect(captured).toMatch(
        new RegExp(`IP6? ${escaped(source)}\\.\\d+ > ${escaped(address)}\\.2`),
      );
    }
    expect(captured).not.toMatch(/VXLAN|GRE|GENEVE|ip-proto-4|encap/i);

    const after = await sentPackets();
    for (const device of ['eth1', 'eth2'] as const) {
      expect(after[device] - before[device], `packets out of ${device}`).toBeGreaterThan(16);
    }
  });
});

function escaped(text: string): string {
  return text.replaceAll('.', '\\.');
}

async function sentPackets(): Promise<Record<'eth1' | 'eth2', number>> {
  const read = async (device: string): Promise<number> => {
    const path = `/sys/class/net/${device}/statistics/tx_packets`;
    return Number(await lab.run('host11', 'cat', path));
  };
  return { eth1: await read('eth1'), eth2: await read('eth2') };
}

describe('an agent that dies', () => {
  test('loses no packet, writes nothing when it is back, and the leaves keep its routes meanwhile', async () => {
    const objects = await lab.inNetwork('host11', 'ip', 'nexthop', 'show');
    const monitor = await watchWith(await pidOf('host11'), [
      ...['ip', '-timestamp', 'monitor', 'route', 'nexthop'],
    ]);
    const reports = await streamsDuring(async () => {
      await killAgent(lab, 'host11');
      await eventually('the leaves hold the routes as stale', 3_000, async () => {
        const bird = await lab.run('leaf11', 'birdc', 'show', 'protocols', 'all');
        const frr = await lab.run('leaf12', 'vtysh', '-c', 'show bgp ipv4 unicast');
        return bird.includes('graceful restart active') && /^S/m.test(frr) ? true : undefined;
      });
      await letPass(AGENT_DOWN_MS);
      await startAgents(lab);
      await allSessionsUp(lab);
      await letPass(2_000);
    });
    const events = await monitor.stop();
    console.log(`agent down for ${AGENT_DOWN_MS} ms: worst stream`, worst(reports));
    expect(reports.filter(({ lost }) => lost > 0)).toEqual([]);
    expect(events).toBe('');
    expect(await lab.inNetwork('host11', 'ip', 'nexthop', 'show')).toBe(objects);
  });
});

describe('links and leaves that die', () => {
  const cases = [
    ['a leaf whose links go down', { type: 'node', node: 'leaf11' }, 'down', 200],
    ['the other leaf whose links go down', { type: 'node', node: 'leaf12' }, 'down', 200],
    ['a leaf that drops everything', { type: 'node', node: 'leaf11' }, 'silent', HOLD_MS + 1000],
    [
      'the other leaf that drops everything',
      { type: 'node', node: 'leaf12' },
      'silent',
      HOLD_MS + 1000,
    ],
    [
      'a host link that goes down',
      { type: 'link', node: 'host11', interface: 'eth1' },
      'down',
      200,
    ],
    [
      'a host link that drops everything',
      { type: 'link', node: 'host11', interface: 'eth1' },
      'silent',
      HOLD_MS + 1000,
    ],
  ] as const;
  test.each(cases)('%s', async (what, target, mode, allowedMs) => {
    const reports = await streamsDuring(async () => {
      const links = linksOf(lab.topology satisfies Topology, target);
      await failLinks(links, { target, mode, pids: await lab.pids() });
      await letPass(allowedMs + 1500);
    });
    const { name, longestLossMs } = worst(reports);
    console.log(`${what}: worst loss ${longestLossMs} ms (${name}); allowed ${allowedMs} ms`);
    expect(longestLossMs).toBeLessThanOrEqual(allowedMs);
    expect(reports.some(({ lost }) => lost > 0) || mode === 'down').toBe(true);
  });
});

describe('hands off, hands on', () => {
  test.each(['-4', '-6'] as const)(
    'a route deleted or altered by hand is back within 1 s (%s)',
    async (family) => {
      const show = (): Promise<string> =>
        lab.inNetwork('host11', 'ip', family, 'route', 'show', 'proto', '86');
      const routes = await show();
      const [destination = ''] = routes.split(' ', 1);
      const back = (what: string): Promise<true> =>
        eventually(what, 1_000, async () => ((await show()) === routes ? true : undefined));

      await lab.inNetwork('host11', 'ip', family, 'route', 'del', destination, 'proto', '86');
      await back('the deleted route');
      const altered = ['ip', family, 'route', 'replace', 'blackhole', destination];
      await lab.inNetwork('host11', ...altered, 'proto', '86', 'metric', '1024');
      await back('the altered route');
    },
  );

  test("someone else's route is left alone", async () => {
    const foreign = ['203.0.113.0/24', 'via', '10.254.11.10', 'proto', 'static'];
    await lab.inNetwork('host11', 'ip', 'route', 'add', ...foreign);
    await killAgent(lab, 'host11');
    await startAgents(lab);
    await allSessionsUp(lab);
    const shown = await lab.inNetwork('host11', 'ip', 'route', 'show', '203.0.113.0/24');
    expect(shown).toContain('via 10.254.11.10');
    await lab.inNetwork('host11', 'ip', 'route', 'del', ...foreign);
  });
});
