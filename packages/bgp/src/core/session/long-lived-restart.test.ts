import { describe, expect, test } from 'vitest';
import { MachineScript, speaker } from '../../../test/machine-script.ts';
import type { PeerEvent } from './peer-events.ts';

const both = { restart: 'ipv4! ipv6!', longLived: 'ipv4! ipv6!' };
const expire: PeerEvent = { type: 'timer', timer: 'stale' };

function scriptWith(longLivedStaleSeconds?: number): MachineScript {
  const settings = longLivedStaleSeconds === undefined ? {} : { longLivedStaleSeconds };
  return new MachineScript({}, { gracefulRestart: { ...speaker.gracefulRestart, ...settings } });
}

/** A session that was lost at second 40. */
function lost(given: Parameters<MachineScript['establish']>[0] = both, seconds = 7200) {
  const script = scriptWith(seconds);
  script.establish(given);
  script.nowMs = 40_000;
  return { script, line: script.lost(1) };
}

describe('helper of a peer that is long gone (RFC 9494 section 4.2)', () => {
  test('first the Restart Time, then the Long-lived Stale Time, then they go', () => {
    const { script, line } = lost();
    expect(line).toContain('down keeping [ipv4+ipv6], arm stale for 60');
    script.nowMs = 100_000;
    expect(script.do(expire)).toBe('longLived ipv4+ipv6, arm stale for 3600');
    script.nowMs = 3_700_000;
    expect(script.do(expire)).toBe('flush ipv4+ipv6, disarm stale');
  });

  test('our own time is the upper bound', () => {
    const { script } = lost(both, 600);
    script.nowMs = 100_000;
    expect(script.do(expire)).toContain('arm stale for 600');
  });

  test('without it on our side, or without it on theirs, the Restart Time is all', () => {
    for (const [seconds, given] of [
      [undefined, both],
      [7200, { restart: 'ipv4! ipv6!' }],
    ] as const) {
      const script = scriptWith(seconds);
      script.establish(given);
      script.lost(1);
      expect(script.do(expire)).toBe('flush ipv4+ipv6, disarm stale');
    }
  });

  test('it means nothing without the graceful restart capability', () => {
    expect(lost({ longLived: 'ipv4! ipv6!' }).line).toContain('down keeping []');
  });

  test('a family that graceful restart does not have is long-lived at once', () => {
    const { script, line } = lost({ restart: 'ipv4!', longLived: 'ipv6!' });
    expect(line).toContain('down keeping [ipv4+ipv6], longLived ipv6, arm stale for 60');
    script.nowMs = 100_000;
    expect(script.do(expire)).toBe('flush ipv4, arm stale for 3540');
  });

  test('back in that time: their time runs on until End-of-RIB', () => {
    const { script } = lost();
    script.nowMs = 100_000;
    script.do(expire);
    script.nowMs = 1_000_000;
    script.connected(2);
    script.open(2, { ...both, restarted: true });
    expect(script.keepalive(2)).toContain('arm stale for 2700, up');
    expect(script.do({ type: 'endOfRib', family: 'ipv4' })).toBe('arm stale for 2700');
    expect(script.do({ type: 'endOfRib', family: 'ipv6' })).toBe('disarm stale');
    expect(script.do({ type: 'endOfRib', family: 'ipv6' })).toBe('');
  });

  test('back without the F bit of a family: that family goes at once', () => {
    const { script } = lost();
    script.nowMs = 100_000;
    script.do(expire);
    script.connected(2);
    script.open(2, { ...both, longLived: 'ipv4! ipv6' });
    expect(script.keepalive(2)).toContain('flush ipv6, arm stale for 3600, up');
  });

  test('lost again before End-of-RIB: their time is neither stopped nor begun anew', () => {
    const { script } = lost();
    script.nowMs = 100_000;
    script.do(expire);
    script.nowMs = 1_000_000;
    script.connected(2);
    script.open(2, both);
    script.keepalive(2);
    script.do({ type: 'endOfRib', family: 'ipv4' });
    script.nowMs = 1_010_000;
    // What was there of IPv4 had come again: for that everything begins anew.
    expect(script.lost(2)).toContain('down keeping [ipv4+ipv6], longLived ipv6, arm stale for 60');
    script.nowMs = 1_070_000;
    expect(script.do(expire)).toBe('longLived ipv4, arm stale for 2630');
  });

  test('whoever is stopped has nothing kept', () => {
    const { script } = lost();
    script.nowMs = 100_000;
    script.do(expire);
    expect(script.do({ type: 'stop' })).toContain('flush ipv4+ipv6, disarm stale');
  });
});

test('our own OPEN announces it when it is configured, with F where forwarding was kept', () => {
  const script = scriptWith(86_400);
  script.do({ type: 'restart', restart: { restarting: true, preserved: ['ipv4'] } });
  script.do({ type: 'start' });
  expect(script.sentOpen(1).capabilities.longLivedRestart).toEqual([
    { family: 'ipv4', forwarding: true, staleSeconds: 86_400 },
    { family: 'ipv6', forwarding: false, staleSeconds: 86_400 },
  ]);
  const without = scriptWith();
  without.do({ type: 'start' });
  expect(without.sentOpen(1).capabilities.longLivedRestart).toBeUndefined();
});
