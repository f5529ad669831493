import {
  failLinks,
  healLinks,
  linksOf,
  loadTopology,
  type PingEndpoint,
  pingAll,
  waitForConvergence,
  withOverlandRouters,
} from '@overland/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, ROOT, type RunningLab, startLab } from './running-lab.ts';

/** A fabric of which no link has an address. */
const topology = loadTopology(`${ROOT}/lab/unnumbered.clab.yml`, process.env);

const DEADLINE_MS = 20_000;

describe.each([
  ['FRR', topology],
  ['our own speaker', withOverlandRouters(topology)],
])('with %s on the switches', (_, variant) => {
  let lab: RunningLab;
  let containers: readonly PingEndpoint[];
  beforeAll(async () => {
    lab = await startLab(variant);
    const { convergence } = await waitForConvergence(() => lab.observe(), {
      deadlineMs: 90_000,
      signal: new AbortController().signal,
      progress: () => {},
    });
    expect([...lab.failures, ...convergence.missing]).toEqual([]);
    containers = convergence.endpoints;
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  /** Pairs of hosts between which an echo was lost. */
  const lostEchoes = async (): Promise<string[]> => {
    const pings = await pingAll(containers, 1);
    expect(pings).toHaveLength(8 * 7 * 2);
    return pings
      .filter(({ roundTripMs }) => roundTripMs === undefined)
      .map(({ from, to }) => `${from.node}–${to.node}`);
  };
  const everyEchoArrives = (): Promise<true> =>
    eventually('every echo is answered', DEADLINE_MS, async () =>
      (await lostEchoes()).length === 0 ? true : undefined,
    );

  test('every container reaches every other one, over IPv4 and IPv6', async () => {
    expect(containers).toHaveLength(8);
    await everyEchoArrives();
  });

  test('no link has an IPv4 address, and IPv4 routes leave by both leaves all the same', async () => {
    const addresses = await lab.inNetwork('host11', 'ip', '-4', '-o', 'address', 'show');
    expect(addresses).not.toMatch(/eth[12]/);
    const objects = await lab.inNetwork('host11', 'ip', 'nexthop');
    expect(objects).toMatch(/via fe80::\S+ dev eth1/);
    expect(objects).toMatch(/via fe80::\S+ dev eth2/);
    expect(objects).toMatch(/ group /);
  });

  test('a link that is cut costs its paths and no container; healed, it carries a session again', async () => {
    const target = { type: 'link', node: 'host11', interface: 'eth1' } as const;
    const links = linksOf(variant, target);
    const state = async (): Promise<unknown> => {
      const text = await lab.run('host11', 'overland', 'bgp', 'summary', '-o', 'json');
      return JSON.parse(text).ipv4Unicast.peers.eth1.state;
    };
    expect(await state()).toBe('Established');
    await failLinks(links, { target, mode: 'down', pids: await lab.pids() });
    await everyEchoArrives();
    expect(await state()).not.toBe('Established');
    await healLinks(links, await lab.pids());
    await eventually('the session is back', DEADLINE_MS, async () =>
      (await state()) === 'Established' ? true : undefined,
    );
    await everyEchoArrives();
  });
});
