import { type Bench, demandError } from './bench.ts';
import { demand, NotApplicable, type Point } from './verdict.ts';

const PATIENCE_MS = 10_000;
const RECOVERY_MS = 15_000;
/** More than a range has that `smallConfig` may name. */
const MOST_ADDRESSES = 16;

/** What a plugin does that cannot do its work: 17, 18 and 21. */
export const DAEMON_POINTS: readonly Point<Bench>[] = [
  {
    number: 17,
    title: 'ADD without its daemon fails in bounded time, code 11 or 50, and leaves nothing',
    async check(bench) {
      const env = daemonGone(bench);
      const before = await bench.hostState();
      const container = await bench.container();
      const run = await bench.run('ADD', { ...container, env });
      demandError(run, 'ADD without the daemon', [11, 50]);
      demand(run.milliseconds < PATIENCE_MS, `ADD took ${Math.round(run.milliseconds)} ms`);
      demand((await container.kernel.links.get('eth0')) === undefined, 'eth0 was made');
      await bench.demandSameHost(before, 'after it');
    },
  },
  {
    number: 18,
    title: 'when no address is left ADD fails and leaves nothing; STATUS says so, code 50',
    async check(bench) {
      const { smallConfig } = bench.options;
      if (!smallConfig) throw new NotApplicable('no configuration with few addresses was given');
      const before = await bench.hostState();
      const config = { ...smallConfig, name: 'conformance-small' };
      const containers = [];
      for (;;) {
        const container = await bench.container();
        const state = await bench.hostState();
        const run = await bench.run('ADD', { ...container, config });
        containers.push(container);
        if (run.code !== 0) {
          demandError(run, 'ADD without an address');
          await bench.demandSameHost(state, 'after ADD without an address');
          break;
        }
        demand(containers.length < MOST_ADDRESSES, `${containers.length} ADDs found an address`);
      }
      if (bench.version === '1.1.0') {
        demandError(await bench.run('STATUS', { config }), 'STATUS without an address', [50]);
      }
      for (const container of containers) await bench.del(container, { config });
      await bench.demandSameHost(before, 'after all DELs');
    },
  },
  {
    number: 21,
    title: 'DEL without its daemon is done later, or to be tried again, code 11',
    async check(bench) {
      const env = daemonGone(bench);
      const before = await bench.hostState();
      const container = await bench.container();
      await bench.add(container);
      const run = await bench.run('DEL', { ...container, env });
      if (run.code !== 0) {
        demandError(run, 'DEL without the daemon', [11]);
        await bench.del(container);
      }
      await bench.demandSameHost(before, 'when the daemon was there again', RECOVERY_MS);
    },
  },
];

function daemonGone({ options }: Bench): Readonly<Record<string, string>> {
  if (options.daemonGone) return options.daemonGone;
  throw new NotApplicable('it has no daemon, or none was said to be gone');
}
