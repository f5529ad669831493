import { describe, expect, test } from 'vitest';
import type { TokenBucket } from '../ports.ts';
import { connect, type KernelPair } from './kernel-pair.ts';

const BUCKET: TokenBucket = { rate: 1_250_000, burst: 125_000, limit: 131_072 };

export function describeTrafficControl(makePair: () => Promise<KernelPair>): void {
  describe('traffic control', () => {
    test.each([
      ['10 Mbit/s', BUCKET],
      ['1 kbit/s', { rate: 125, burst: 1514, limit: 131_072 }],
      ['100 Gbit/s', { rate: 12_500_000_000, burst: 4_000_000_000, limit: 67_108_864 }],
      ['with a peak', { ...BUCKET, peak: { rate: 2_500_000, burst: 1514 } }],
      ['with a fast peak', { ...BUCKET, peak: { rate: 6_250_000_000, burst: 100_000 } }],
    ])('a token bucket of %s is listed as it was asked for', async (_name, bucket: TokenBucket) => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { trafficControl } = pair.kernel;
      await trafficControl.shape('eth1', BUCKET);
      await trafficControl.shape('eth1', bucket);
      await trafficControl.shape('eth1', bucket);
      const [found] = await trafficControl.list();
      // A tick is 64 ns: 800 octets at 100 Gbit/s.
      const tolerance = Math.max(1, bucket.rate * 64e-9, (bucket.peak?.rate ?? 0) * 64e-9);
      expect(found).toMatchObject({
        device: 'eth1',
        bucket: { rate: bucket.rate, limit: bucket.limit },
      });
      expect(found?.bucket?.peak?.rate).toBe(bucket.peak?.rate);
      const off = Math.abs((found?.bucket?.burst ?? 0) - bucket.burst);
      expect(off).toBeLessThanOrEqual(tolerance);
      await trafficControl.unshape('eth1');
      await trafficControl.unshape('eth1');
      expect(await trafficControl.list()).toEqual([]);
    });

    test('a peak that is no faster than the rate is refused', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const bucket = { ...BUCKET, peak: { rate: BUCKET.rate, burst: 1514 } };
      await expect(pair.kernel.trafficControl.shape('eth1', bucket)).rejects.toMatchObject({
        code: 'EINVAL',
      });
    });

    test('what arrives is led through an ifb, or another one, or none', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const { trafficControl, links } = pair.kernel;
      await links.createIfb('one');
      await links.createIfb('one');
      await links.createIfb('two');
      expect(await links.get('one')).toMatchObject({ kind: 'ifb', up: false });
      await links.set('one', { up: true });
      expect(await links.get('one')).toMatchObject({ up: true, carrier: true });
      await trafficControl.redirect('eth1', 'one');
      await trafficControl.redirect('eth1', 'one');
      expect(await trafficControl.list()).toEqual([{ device: 'eth1', redirect: 'one' }]);
      await trafficControl.redirect('eth1', 'two');
      expect(await trafficControl.list()).toEqual([{ device: 'eth1', redirect: 'two' }]);
      await links.remove('two');
      expect(await trafficControl.list()).toEqual([{ device: 'eth1', redirect: '' }]);
      await trafficControl.unredirect('eth1');
      await trafficControl.unredirect('eth1');
      expect(await trafficControl.list()).toEqual([]);
    });

    test('a change is an event of its interface', async () => {
      await using pair = await makePair();
      await connect(pair, 1);
      const stop = new AbortController();
      const seen = Promise.withResolvers<string>();
      const events = pair.kernel.monitor.events(stop.signal);
      const watching = (async () => {
        for await (const event of events)
          if (event.type === 'traffic-control') seen.resolve(event.device);
      })();
      await pair.other.trafficControl.shape('eth1', BUCKET);
      expect(await seen.promise).toBe('eth1');
      stop.abort();
      await watching;
    });

    test('an interface that does not exist is ENODEV to shape, and nothing to stop', async () => {
      await using pair = await makePair();
      const { trafficControl } = pair.kernel;
      const absent = { code: 'ENODEV' };
      await expect(trafficControl.shape('absent', BUCKET)).rejects.toMatchObject(absent);
      await expect(trafficControl.redirect('absent', 'lo')).rejects.toMatchObject(absent);
      await trafficControl.unshape('absent');
      await trafficControl.unredirect('absent');
    });
  });
}
