import { type IpAddress, parseAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LinkDiscovery } from './link-discovery.ts';

const A = parseAddress('fe80::a');
const B = parseAddress('fe80::b');
const advertisement = (source: IpAddress, lifetimeSeconds = 1800) =>
  ({ type: 'advertisement', source, lifetimeSeconds }) as const;
const SOLICITATION = { type: 'solicitation' } as const;
const BOTH = { advertisement: true, solicitation: true };
const NOTHING = { advertisement: false, solicitation: false };

function discovery(isInUse = () => false) {
  return new LinkDiscovery(0, () => 1, isInUse);
}

/** When advertisements are sent, up to a time, milliseconds. */
function schedule(link: LinkDiscovery, untilMs: number): number[] {
  const times: number[] = [];
  for (let now = link.wakeMs; now <= untilMs; now = link.wakeMs) {
    if (link.tick(now).advertisement) times.push(now);
  }
  return times;
}

test('it says at once that we are there and asks who is, then again and again', () => {
  const link = discovery();
  expect(link.tick(0)).toEqual(BOTH);
  expect(link.tick(1)).toEqual(NOTHING);
  expect(schedule(link, 25_000)).toEqual([2000, 4000, 14_000, 24_000]);
});

test('once a router is heard nobody is asked any more', () => {
  const link = discovery();
  link.tick(0);
  link.heard(advertisement(A), 100);
  expect(link.router).toBe(A);
  expect(link.tick(2000)).toEqual({ advertisement: true, solicitation: false });
});

test('a solicitation is answered at once, but many are not answered many times', () => {
  const link = discovery();
  schedule(link, 15_000);
  for (let now = 16_000; now < 16_500; now += 10) link.heard(SOLICITATION, now);
  expect(schedule(link, 20_000)).toEqual([16_000]);
  const answers: number[] = [];
  for (let now = 20_000; now < 22_500; now += 10) {
    link.heard(SOLICITATION, now);
    if (link.tick(now).advertisement) answers.push(now);
  }
  expect(answers).toEqual([20_000, 21_000, 22_000]);
});

test('what cannot be sent is sent a second later', () => {
  const link = discovery();
  link.tick(0);
  link.failedToSend(0);
  expect(schedule(link, 5000)).toEqual([1000, 3000, 5000]);
});

test('a router is gone when its lifetime is over, or it says so', () => {
  const link = discovery();
  link.heard(advertisement(A, 30), 0);
  link.tick(29_999);
  expect(link.router).toBe(A);
  link.tick(30_000);
  expect(link.router).toBeUndefined();
  link.heard(advertisement(A), 31_000);
  link.heard(advertisement(A, 0), 32_000);
  expect(link.router).toBeUndefined();
});

test('with a session the router stays, whatever it advertises; without one any more it goes', () => {
  let isInUse = true;
  const link = discovery(() => isInUse);
  link.heard(advertisement(A, 30), 0);
  link.heard(advertisement(A, 0), 10_000);
  link.heard(advertisement(B), 60_000);
  link.tick(60_000);
  expect(link.router).toBe(A);
  isInUse = false;
  link.tick(60_001);
  expect(link.router).toBeUndefined();
});

test('a second router on the link waits until the first has been silent', () => {
  const link = discovery();
  link.heard(advertisement(A), 0);
  link.heard(advertisement(B), 1000);
  link.heard(advertisement(A), 20_000);
  link.heard(advertisement(B), 49_000);
  expect(link.router).toBe(A);
  link.heard(advertisement(B), 50_000);
  expect(link.router).toBe(B);
});

test('who dials us is the router, unless there is another one', () => {
  const link = discovery();
  expect(link.dialled(A, 0)).toBe(true);
  expect(link.router).toBe(A);
  expect(link.dialled(B, 1000)).toBe(false);
  link.tick(30_000);
  expect(link.router).toBeUndefined();
});

test('a link that was down begins anew', () => {
  const link = discovery();
  schedule(link, 20_000);
  link.heard(advertisement(A), 20_000);
  link.reset(21_000);
  expect(link.router).toBeUndefined();
  expect(link.tick(21_000)).toEqual(BOTH);
});

test('whatever happens, no more is sent than one advertisement a second', () => {
  const event = fc.record({
    afterMs: fc.integer({ min: 1, max: 400 }),
    what: fc.constantFrom('solicitation' as const, 'a' as const, 'b' as const, 'tick' as const),
  });
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 300 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (events, random) => {
        const link = new LinkDiscovery(
          0,
          () => random,
          () => false,
        );
        let [now, sent] = [0, 0];
        for (const { afterMs, what } of events) {
          now += afterMs;
          if (what === 'solicitation') link.heard(SOLICITATION, now);
          else if (what !== 'tick') link.heard(advertisement(what === 'a' ? A : B), now);
          if (link.tick(now).advertisement) sent += 1;
        }
        expect(sent).toBeLessThanOrEqual(1 + now / 1000);
      },
    ),
  );
});
