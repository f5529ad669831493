import { networkAddress, parsePrefix } from '@overland/net';
import { addressesIn } from './attach-points.ts';
import { addressesOf, type Bench, demandError } from './bench.ts';
import { demand, NotApplicable, type Point } from './verdict.ts';

/** What DEL does: 19, 20, 22, 23; and collection, 29 and 30. */
export const DETACH_POINTS: readonly Point<Bench>[] = [
  {
    number: 19,
    title: 'DEL takes interface, host end and routes away',
    async check(bench) {
      const before = await bench.hostState();
      const container = await bench.container();
      const { answer } = await bench.add(container);
      await bench.del(container, { config: { prevResult: answer } });
      demand((await container.kernel.links.get('eth0')) === undefined, 'eth0 is left');
      await bench.demandSameHost(before, 'after DEL');
    },
  },
  {
    number: 20,
    title: 'DEL succeeds twice, never added, without prevResult, without namespace',
    async check(bench) {
      const before = await bench.hostState();
      const container = await bench.container();
      await bench.del(container);
      await bench.add(container);
      await bench.del(container);
      await bench.del(container);
      for (const netns of ['', '/run/netns/conformance-gone']) {
        const other = await bench.container();
        await bench.add(other);
        await other.remove();
        await bench.del({ id: other.id, netns });
        await bench.del({ id: other.id, netns });
      }
      await bench.del(container, { env: { CNI_NETNS: undefined } });
      await bench.demandSameHost(before, 'after all');
    },
  },
  {
    number: 22,
    title: 'DEL with a broken prevResult still takes everything away',
    async check(bench) {
      const before = await bench.hostState();
      const container = await bench.container();
      await bench.add(container);
      await bench.run('DEL', { ...container, config: { prevResult: { ips: 'broken' } } });
      await bench.demandSameHost(before, 'after DEL');
      await bench.del(container);
    },
  },
  {
    number: 23,
    title: 'a late DEL leaves alone who has the address now',
    async check(bench) {
      const old = await bench.container();
      const { answer } = await bench.add(old);
      await bench.del(old);
      const next = await bench.container();
      const [address = ''] = addressesIn(answer);
      const ip = networkAddress(parsePrefix(address.replace(/\/.*/, '')));
      const asked = await bench.run('ADD', { ...next, args: `IgnoreUnknown=1;IP=${ip}` });
      if (asked.code !== 0)
        throw new NotApplicable('the plugin does not give the same address again');
      await bench.del(old, { config: { prevResult: answer } });
      const held = await addressesOf(next.kernel, 'eth0');
      for (const one of addressesIn(asked.answer)) {
        demand(held.includes(one), `the new container has lost ${one}`);
      }
      for (const { name, sandbox } of asked.answer.interfaces as {
        name: string;
        sandbox?: string;
      }[]) {
        const isThere = sandbox || (await bench.host.links.get(name)) !== undefined;
        demand(Boolean(isThere), `the host end ${name} of the new container is gone`);
      }
      await bench.del(next);
    },
  },
  {
    number: 29,
    title: 'GC keeps what is listed, and what is of another network',
    async check(bench) {
      bench.need('1.1.0', 'GC');
      const [kept, stale, other] = [
        await bench.container(),
        await bench.container(),
        await bench.container(),
      ];
      await bench.add(kept);
      await bench.add(stale);
      await bench.add(other, { config: { name: 'conformance-2' } });
      const list = [{ containerID: kept.id, ifname: 'eth0' }];
      const run = await bench.run('GC', { config: { 'cni.dev/valid-attachments': list } });
      demand(run.code === 0, 'GC failed');
      demand((await kept.kernel.links.get('eth0')) !== undefined, 'what was listed is gone');
      demand(
        (await other.kernel.links.get('eth0')) !== undefined,
        'what is of another network is gone',
      );
      demand((await stale.kernel.links.get('eth0')) === undefined, 'what was not listed is left');
      await bench.del(kept);
      await bench.del(other, { config: { name: 'conformance-2' } });
    },
  },
  {
    number: 30,
    title: 'GC without a list is refused, with an empty one takes everything',
    async check(bench) {
      bench.need('1.1.0', 'GC');
      const container = await bench.container();
      await bench.add(container);
      demandError(await bench.run('GC'), 'GC without a list');
      demand(
        (await container.kernel.links.get('eth0')) !== undefined,
        'it has collected all the same',
      );
      const run = await bench.run('GC', { config: { 'cni.dev/valid-attachments': [] } });
      demand(run.code === 0, 'GC with an empty list failed');
      demand((await container.kernel.links.get('eth0')) === undefined, 'eth0 is left');
      await bench.del(container);
    },
  },
];
