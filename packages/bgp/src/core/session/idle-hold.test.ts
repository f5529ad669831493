import { describe, expect, test } from 'vitest';
import { MachineScript, peerConfig, speaker } from '../../../test/machine-script.ts';
import type { PeerConfig } from '../config.ts';
import type { PeerEvent } from './peer-events.ts';
import { limitReached } from './prefix-limit.ts';

describe('above its limit of prefixes', () => {
  const limit = {
    most: { ipv4: 2 },
    warningPercent: 75,
    action: 'stop',
    restartSeconds: 60,
  } as const;
  const fault = limitReached(limit, 'ipv4');
  const above = (seconds: number): PeerEvent => ({
    type: 'fault',
    connection: 1,
    fault,
    downSeconds: seconds,
  });

  test('a peer is down for as long as it was told', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.do(above(60))).toBe(
      'close 1 with 6/1, down keeping [], disarm stale, forget 1, arm idleHold for 60, Established → Idle',
    );
    expect(script.machine.isHeldDown).toBe(true);
    expect(script.accepted()).toBe('close 2');
    script.nowMs = 60_000;
    expect(script.do({ type: 'timer', timer: 'idleHold' })).toContain('dial 3');
    expect(script.machine.isHeldDown).toBe(false);
  });

  test('a link that comes back does not shorten it', () => {
    const script = new MachineScript();
    script.establish();
    script.do(above(60));
    script.nowMs = 20_000;
    expect(script.do({ type: 'link', usable: false })).toBe('disarm idleHold');
    expect(script.do({ type: 'link', usable: true })).toBe('arm idleHold for 40');
  });

  test('or for good, until the limit is another one', () => {
    const script = new MachineScript({ maxPrefixes: limit });
    script.establish();
    expect(script.do(above(Number.POSITIVE_INFINITY))).not.toContain('arm idleHold');
    const configure = (maxPrefixes: PeerConfig['maxPrefixes']): PeerEvent => ({
      type: 'configure',
      context: { speaker, config: { ...peerConfig, ...(maxPrefixes && { maxPrefixes }) } },
    });
    expect(script.do(configure(limit))).toBe('');
    expect(script.accepted()).toBe('close 2');
    expect(script.do(configure({ ...limit, most: { ipv4: 3 } }))).toBe(
      'disarm idleHold, dial 3, arm connectRetry 3 for 5, Idle → Connect',
    );
  });

  test('the Cease says which family and limit', () => {
    expect(Buffer.from(fault.data).toString('hex')).toBe('00010100000002');
    expect(fault.reason).toBe('more than 2 IPv4 prefixes');
  });
});
