import { describe, expect, test } from 'vitest';
import { Daemon } from './support/daemon.ts';
import { type Diamond, diamond, uses } from './support/diamond.ts';
import { startPings } from './support/pings.ts';
import { until } from './support/until.ts';

/** Pings through both routers of ours, in both directions and families. */
const startTraffic = ({ nets }: Diamond) => {
  const all = [
    startPings(nets.left, ['10.0.0.2', 'fd00::2']),
    startPings(nets.right, ['10.0.0.1', 'fd00::1']),
  ];
  return async (): Promise<number> =>
    (await Promise.all(all.map((pings) => pings.lost()))).flat().reduce((sum, n) => sum + n, 0);
};

const established = async ({ upper }: Diamond): Promise<boolean> =>
  (await upper.summary()).peers.every(({ state }) => state === 'Established');

/** How often sessions of the upper router have come up. */
const timesUp = async ({ upper }: Diamond): Promise<number> =>
  (await upper.summary()).peers.reduce((sum, { timesEstablished }) => sum + timesEstablished, 0);

/** Waits, and prints how long it took. */
async function timed(what: string, condition: () => Promise<boolean>): Promise<void> {
  const started = performance.now();
  await until(what, condition);
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** A lab in which everything is up, and both ways are in use. */
async function converged(options: { readonly bfd: boolean }): Promise<Diamond> {
  const lab = await diamond(options);
  await until('sessions are up', () => established(lab));
  await until('BFD is up', async () => {
    const { peers } = await lab.upper.summary();
    return peers.every(({ bfd }) => bfd === (options.bfd ? 'up' : null));
  });
  await until('both ways are in use', () => uses(lab, ['upper', 'lower']));
  return lab;
}

describe.each([{ bfd: false }, { bfd: true }])('BFD $bfd', (options) => {
  test('our speaker is killed and started again: graceful restart loses no packet', async () => {
    await using lab = await converged(options);
    const lost = startTraffic(lab);
    await lab.upper.kill('SIGKILL');
    await lab.upper.start();
    await timed('sessions are back', () => established(lab));
    await until('both ways are in use', () => uses(lab, ['upper', 'lower']));
    expect(await lost()).toBe(0);
  });

  test('one direction of a link is lost: traffic moves when that is seen, and comes back', async () => {
    await using lab = await converged(options);
    const { upper } = lab.nets;
    await upper.exec(['nft', 'add', 'table', 'netdev', 'cut']);
    const hook = '{ type filter hook ingress device eth1 priority 0; policy drop; }';
    await upper.exec(['nft', 'add', 'chain', 'netdev', 'cut', 'in', hook]);
    await timed('FRR and BIRD go the other way', () => uses(lab, ['lower']));
    // Now that it is seen, nothing more is lost.
    const lost = startTraffic(lab);
    expect(await lost()).toBe(0);
    await upper.exec(['nft', 'delete', 'table', 'netdev', 'cut']);
    await timed('sessions are back', () => established(lab));
    await until('both ways are in use', () => uses(lab, ['upper', 'lower']));
  });
});

/** The routes to a prefix that go away in both routers' kernels while this is in scope. */
async function watchDeletions({ nets }: Diamond, ...prefixes: readonly string[]) {
  const monitors = [nets.upper, nets.lower].map(
    (namespace) => new Daemon(namespace, ['ip', 'monitor', 'route']),
  );
  // A route of nobody's: it is seen to come once the monitors listen.
  for (const [i, namespace] of [nets.upper, nets.lower].entries()) {
    await until('the monitor listens', async () => {
      await namespace.ip('route', 'replace', 'blackhole', '192.0.2.1/32');
      await namespace.ip('route', 'delete', '192.0.2.1/32');
      return monitors[i]?.output.includes('192.0.2.1');
    });
  }
  return {
    deleted: (): string[] =>
      monitors.flatMap(({ output }) =>
        output
          .split('\n')
          .filter((line) => prefixes.some((prefix) => line.includes(`Deleted ${prefix} `))),
      ),
    async [Symbol.asyncDispose]() {
      for (const monitor of monitors) await monitor[Symbol.asyncDispose]();
    },
  };
}

// What becomes of packets is up to what these do with their own kernel's routes: ours to them must not move.
test.each([
  ['bgpd of FRR', '10.0.0.1', 'fd00::1'],
  ['BIRD', '10.0.0.2', 'fd00::2'],
])(
  '%s is killed and started again: the routes to it stay in the kernel',
  async (name, ...prefixes) => {
    await using lab = await converged({ bfd: false });
    await using watch = await watchDeletions(lab, ...prefixes);
    const lost = startTraffic(lab);
    const before = await timesUp(lab);
    if (name === 'BIRD') {
      await lab.bird.kill('SIGKILL');
      await lab.bird.start('-R');
    } else {
      await lab.frr.killBgpd('SIGKILL');
      await lab.frr.startBgpd();
    }
    await timed('sessions are back', async () => {
      return (await timesUp(lab)) === before + 2 && (await established(lab));
    });
    await until('both ways are in use', () => uses(lab, ['upper', 'lower']));
    expect(watch.deleted()).toEqual([]);
    console.log(`packets lost: ${await lost()}`);
  },
);

test('a link is cut and mended: traffic goes the other way at once', async () => {
  await using lab = await converged({ bfd: false });
  const { upper } = lab.nets;
  await upper.ip('link', 'set', 'eth1', 'down');
  await timed('FRR and BIRD go the other way', () => uses(lab, ['lower']));
  const lost = startTraffic(lab);
  expect(await lost()).toBe(0);
  await upper.ip('link', 'set', 'eth1', 'up');
  await timed('sessions are back', () => established(lab));
  await until('both ways are in use', () => uses(lab, ['upper', 'lower']));
});
