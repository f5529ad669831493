import { expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../../packages/cli/src/testing/captured-run.ts';
import { type Diamond, diamond, upperFile, uses } from './support/diamond.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

/** `overland …` against the upper router. */
const overland = ({ upper }: Diamond, ...args: readonly string[]): Promise<CapturedRun> =>
  captureRun([...args, '--socket', upper.socket]);

test('a router is drained without the loss of a packet, and comes back', async () => {
  await using lab = await diamond();
  const { nets, frr, bird, upper } = lab;
  await until('both ways are in use', () => uses(lab, ['upper', 'lower']));
  const loss = [
    startPings(nets.left, ['10.0.0.2', 'fd00::2']),
    startPings(nets.right, ['10.0.0.1', 'fd00::1']),
  ];

  // The peers' own records of the first step: everything that goes through us is their last choice.
  const drained = overland(lab, 'node', 'drain', '--wait', '4');
  await until('FRR prefers the other way', async () =>
    /localpref 0.*Community: graceful-shutdown/s.test(
      await frr.vtysh('show bgp ipv4 unicast 10.0.0.2/32'),
    ),
  );
  await until('BIRD has the mark', async () =>
    (await bird.birdc('show route for 10.0.0.1 all')).includes('(65535,0)'),
  );
  expect((await overland(lab, 'bgp', 'summary')).out).toContain('draining: ');
  expect((await upper.summary()).peers.map(({ state }) => state)).toEqual(
    new Array(4).fill('Established'),
  );

  expect(await drained).toMatchObject({ code: 0, out: 'drained: 4 peers are kept down\n' });
  expect((await overland(lab, 'bgp', 'summary')).out).toContain(
    "drained: 4 peers are kept down; 'overland node undrain' ends this",
  );
  await until('FRR says why', async () =>
    /Administrative Shutdown/.test(await frr.vtysh('show bgp neighbors 10.1.1.1')),
  );
  expect(await bird.birdc('show protocols ipv4_3')).toContain('Administrative shutdown');
  expect(await nets.left.ip('route', 'show', '10.0.0.2')).not.toContain('eth1');

  expect(await Promise.all(loss.map((pings) => pings.lost()))).toEqual([
    [0, 0],
    [0, 0],
  ]);

  expect(await overland(lab, 'node', 'undrain')).toMatchObject({ code: 0, out: 'in service\n' });
  await until('both ways are in use again', () => uses(lab, ['upper', 'lower']));
});

test('a drained router stays so when its file is read again, and is back with what the file says then', async () => {
  await using lab = await diamond();
  const { upper } = lab;
  const up = async (peers: number): Promise<boolean> => {
    const { peers: all } = await upper.summary();
    return all.length === peers && all.every(({ state }) => state === 'Established');
  };
  await until('sessions are up', () => up(4));
  const { out } = await overland(lab, 'node', 'drain', '--wait', '0', '-o', 'json');
  expect(JSON.parse(out)).toEqual({ phase: 'drained', peersKeptDown: 4 });
  const file = upperFile();
  await upper.reload(JSON.stringify({ ...file, peers: file.peers.slice(0, 2) }));
  expect((await upper.summary()).drain).toEqual({ phase: 'drained', peersKeptDown: 2 });
  expect((await upper.summary()).peers).toEqual([]);
  await overland(lab, 'node', 'undrain');
  await until('the sessions of the new file are up', () => up(2));
});
