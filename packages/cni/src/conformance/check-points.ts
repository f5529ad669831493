import { parseInterfaceAddress } from '@overland/net';
import { addressesIn } from './attach-points.ts';
import { type Bench, type Container, demandError, type Run, saidBy } from './bench.ts';
import { demand, type Point } from './verdict.ts';

/** What CHECK sees: 24 to 27; and STATUS, 28. */
export const CHECK_POINTS: readonly Point<Bench>[] = [
  {
    number: 24,
    title: 'CHECK directly after ADD succeeds',
    async check(bench) {
      bench.need('0.4.0', 'CHECK');
      const container = await bench.container();
      const { answer } = await bench.add(container);
      await demandCheck(bench, container, answer);
      await bench.del(container);
    },
  },
  {
    number: 25,
    title: 'CHECK fails when link, address, route or host end is not as it was',
    async check(bench) {
      bench.need('0.4.0', 'CHECK');
      for (const [what, breakIt] of Object.entries(BREAKAGES)) {
        const container = await bench.container();
        const { answer } = await bench.add(container);
        await breakIt({ bench, container, answer });
        const run = await bench.run('CHECK', { ...container, config: { prevResult: answer } });
        demandError(run, `CHECK when ${what}`);
        await bench.del(container);
      }
    },
  },
  {
    number: 26,
    title: 'CHECK takes an address or a route more as no fault',
    async check(bench) {
      bench.need('0.4.0', 'CHECK');
      const container = await bench.container();
      const { answer } = await bench.add(container);
      await container.kernel.links.addAddress('eth0', parseInterfaceAddress('192.0.2.77/32'));
      await demandCheck(bench, container, answer);
      await bench.del(container);
    },
  },
  {
    number: 27,
    title: 'CHECK is refused for 0.3.1, code 1, and without prevResult, code 7',
    async check(bench) {
      bench.need('0.4.0', 'CHECK');
      const container = await bench.container();
      const { answer: prevResult } = await bench.add(container);
      const old = { cniVersion: '0.3.1', prevResult };
      demandError(await bench.run('CHECK', { ...container, config: old }), 'CHECK of 0.3.1', [1]);
      demandError(await bench.run('CHECK', container), 'CHECK without prevResult', [7]);
      await bench.del(container);
    },
  },
  {
    number: 28,
    title: 'STATUS succeeds when ADD would; for 1.0.0 it is refused, code 1',
    async check(bench) {
      bench.need('1.1.0', 'STATUS');
      const run = await bench.run('STATUS', {
        env: { CNI_CONTAINERID: undefined, CNI_IFNAME: undefined },
      });
      demand(run.code === 0, `STATUS failed: ${saidBy(run)}`);
      demandError(
        await bench.run('STATUS', { config: { cniVersion: '1.0.0' } }),
        'STATUS of 1.0.0',
        [1],
      );
      const { daemonGone } = bench.options;
      if (!daemonGone) return;
      demandError(
        await bench.run('STATUS', { env: daemonGone }),
        'STATUS without the daemon',
        [50],
      );
    },
  },
];

interface Broken {
  readonly bench: Bench;
  readonly container: Container;
  readonly answer: Run['answer'];
}

const BREAKAGES: Readonly<Record<string, (broken: Broken) => Promise<void>>> = {
  'the link was deleted': ({ container }) => container.kernel.links.remove('eth0'),
  'an address was removed': async ({ container, answer }) => {
    const [address = ''] = addressesIn(answer);
    await container.kernel.links.removeAddress('eth0', parseInterfaceAddress(address));
  },
  'the routes were removed': async ({ container, answer }) => {
    if (!answer.routes?.length) return;
    await container.kernel.routes.remove(await container.kernel.routes.list('ipv4'));
  },
  'the host end is gone': async ({ bench, answer }) => {
    const outside = (answer.interfaces as { name: string; sandbox?: string }[]).filter(
      ({ sandbox }) => !sandbox,
    );
    for (const { name } of outside) {
      if ((await bench.host.links.get(name))?.kind === 'veth') await bench.host.links.remove(name);
    }
  },
};

async function demandCheck(bench: Bench, container: Container, prevResult: unknown): Promise<void> {
  const run = await bench.run('CHECK', { ...container, config: { prevResult } });
  demand(run.code === 0, `CHECK failed: ${saidBy(run)}`);
  demand(run.stdout.trim() === '', `CHECK printed ${run.stdout.slice(0, 200)}`);
}
