import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type End, FAST, SimulatedLink } from './simulated-link.ts';

const SECOND = 1_000_000;

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const intervalUs = fc.integer({ min: 10_000, max: 300_000 });
const settings = fc.record({
  transmitIntervalUs: intervalUs,
  receiveIntervalUs: intervalUs,
  detectMultiplier: fc.integer({ min: 1, max: 6 }),
});
const seeds = fc.integer();

test('whatever the link did, once it carries everything both come up and stay up', () => {
  fc.assert(
    fc.property(settings, settings, seeds, (a, b, seed) => {
      const random = randomFrom(seed);
      const link = new SimulatedLink(a, b, random);
      link.loses = () => random() < 0.4;
      link.run(8 * SECOND);
      link.loses = () => false;
      link.run(10 * SECOND, () => link.a.state === 'Up' && link.b.state === 'Up');
      link.run(3 * SECOND);
      const settled = link.changes.length;
      link.run(8 * SECOND);
      expect([link.a.state, link.b.state]).toEqual(['Up', 'Up']);
      expect(link.changes.length).toBe(settled);
    }),
    { numRuns: 60 },
  );
});

test('one is never up for longer than its detection time after the last packet of the other', () => {
  fc.assert(
    fc.property(settings, settings, seeds, (a, b, seed) => {
      const link = new SimulatedLink(a, b, randomFrom(seed));
      link.run(5 * SECOND);
      expect(link.a.state).toBe('Up');
      const lastUs = Math.max(
        ...link.sent.filter(({ from }) => from === 'b').map(({ atUs }) => atUs),
      );
      const detectionUs = link.a.detectionUs;
      link.loses = () => true;
      link.run(detectionUs + 400_000, () => link.a.state === 'Down');
      expect(link.a.state).toBe('Down');
      expect(link.nowUs - lastUs).toBeLessThanOrEqual(detectionUs + 1000);
    }),
    { numRuns: 60 },
  );
});

test('the gap between two packets of a session that is up is 75 to 100 % of the interval', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const link = new SimulatedLink(FAST, FAST, randomFrom(seed));
      link.run(3 * SECOND);
      const from: End = 'a';
      const start = link.nowUs;
      link.run(2 * SECOND);
      const times = link.sent.flatMap((sent) =>
        sent.from === from && sent.atUs >= start ? [sent.atUs] : [],
      );
      for (const [i, time] of times.entries()) {
        const gap = time - (times[i - 1] ?? time - 40_000);
        expect(gap).toBeGreaterThanOrEqual(37_500);
        expect(gap).toBeLessThanOrEqual(50_000);
      }
      expect(times.length).toBeGreaterThan(38);
    }),
    { numRuns: 20 },
  );
});
