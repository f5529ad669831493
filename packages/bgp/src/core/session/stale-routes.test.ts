import { describe, expect, test } from 'vitest';
import { MachineScript, speaker } from '../../../test/machine-script.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';
import type { PeerEvent } from './peer-events.ts';

const stop: PeerEvent = {
  type: 'stop',
  fault: new BgpError(
    { code: ErrorCode.Cease, subcode: CeaseSubcode.AdministrativeShutdown },
    'stopped',
  ),
};

describe('helper of a peer that restarts (RFC 4724 section 4.2)', () => {
  const both = { restart: 'ipv4! ipv6!' };

  test('TCP lost: routes stay for the Restart Time of the peer', () => {
    const script = new MachineScript();
    script.establish(both);
    expect(script.lost(1)).toContain('down keeping [ipv4+ipv6], arm stale for 60');
  });

  test('the stale path time is the upper bound', () => {
    const script = new MachineScript(
      {},
      { gracefulRestart: { ...speaker.gracefulRestart, stalePathSeconds: 20 } },
    );
    script.establish(both);
    expect(script.lost(1)).toContain('arm stale for 20');
  });

  test.each<[string, (script: MachineScript) => string]>([
    ['a NOTIFICATION', (script) => script.notification(1, ErrorCode.Cease, 2)],
    ['the hold timer', (script) => script.do({ type: 'timer', timer: 'hold', connection: 1 })],
    ['the link', (script) => script.do({ type: 'link', usable: false })],
  ])('%s flushes them', (_, end) => {
    const script = new MachineScript();
    script.establish(both);
    expect(end(script)).toContain('down keeping []');
  });

  test('routes of a family that the peer did not list go', () => {
    const script = new MachineScript();
    script.establish({ restart: 'ipv6' });
    expect(script.lost(1)).toContain('down keeping [ipv6]');
  });

  test('back with forwarding kept: stale until End-of-RIB, at most the stale path time', () => {
    const script = new MachineScript();
    script.establish(both);
    script.nowMs = 40_000;
    script.lost(1);
    script.nowMs = 50_000;
    script.connected(2);
    script.open(2, { ...both, restarted: true });
    expect(script.keepalive(2)).toBe(
      'restart hold 2, arm stale for 290, up ipv4+ipv6 hold 9, OpenConfirm → Established',
    );
  });

  test('back without the F bit of a family: that family goes at once', () => {
    const script = new MachineScript();
    script.establish(both);
    script.nowMs = 40_000;
    script.lost(1);
    script.connected(2);
    script.open(2, { restart: 'ipv4! ipv6' });
    expect(script.keepalive(2)).toContain('flush ipv6, arm stale for 300, up');
  });

  test('back without the capability: everything goes at once', () => {
    const script = new MachineScript();
    script.establish(both);
    script.nowMs = 40_000;
    script.lost(1);
    script.connected(2);
    script.open(2);
    expect(script.keepalive(2)).toContain('flush ipv4+ipv6, disarm stale, up');
  });

  test('not back in time: flush', () => {
    const script = new MachineScript();
    script.establish(both);
    script.lost(1);
    expect(script.do({ type: 'timer', timer: 'stale' })).toContain('flush ipv4+ipv6');
    expect(script.do(stop)).not.toContain('flush');
  });

  test('de-configured meanwhile: its routes go', () => {
    const script = new MachineScript();
    script.establish(both);
    script.lost(1);
    expect(script.do(stop)).toContain('flush ipv4+ipv6, disarm stale');
  });

  test('a restarted peer replaces its dead session, silently', () => {
    const script = new MachineScript();
    script.establish(both);
    script.nowMs = 1000;
    expect(script.accepted()).toBe('disarm connectRetry 2, send open 2, arm hold 2 for 240');
    expect(script.open(2, { ...both, restarted: true })).toBe(
      'close 1, down keeping [ipv4+ipv6], arm stale for 60, forget 1, ' +
        'send keepalive 2, arm hold 2 for 9, arm keepalive 2 for 3, Established → OpenConfirm',
    );
    expect(script.keepalive(2)).toContain('arm stale for 300, up');
  });

  test('without the R bit too, unless it may have lost a collision a moment ago', () => {
    const script = new MachineScript();
    script.establish(both);
    script.nowMs = 1000;
    script.accepted();
    expect(script.open(2, both)).toBe('close 2 with 6/7, forget 2');
    script.nowMs = 6000;
    script.accepted();
    expect(script.open(3, both)).toContain('down keeping [ipv4+ipv6]');
  });

  test('a newcomer that never sends an OPEN harms nobody', () => {
    const script = new MachineScript();
    script.establish(both);
    script.accepted();
    expect(script.lost(2)).toContain('close 2, forget 2');
    expect(script.machine.established).toBe(1);
  });
});
