import { describe, expect, test } from 'vitest';
import { MachineScript, speaker } from '../../../test/machine-script.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';
import type { PeerEffect, PeerEvent } from './peer-events.ts';

/** Established, `ours` and `theirs` being the N bits. */
function session(ours = true, theirs = true): MachineScript {
  const gracefulRestart = { ...speaker.gracefulRestart, notification: ours };
  const script = new MachineScript({}, { gracefulRestart });
  script.establish({ restart: 'ipv4! ipv6!', notification: theirs });
  return script;
}

const cease = (subcode: number): BgpError =>
  new BgpError({ code: ErrorCode.Cease, subcode }, 'for a test');
const fault = (code: number, subcode: number): PeerEvent => ({
  type: 'fault',
  connection: 1,
  fault: new BgpError({ code, subcode }, 'for a test'),
});
const HOLD: PeerEvent = { type: 'timer', timer: 'hold', connection: 1 };
const KEPT = 'down keeping [ipv4+ipv6]';
const GONE = 'down keeping []';

describe('routes of a peer stay when both sides announced the N bit (RFC 8538 section 4)', () => {
  test('after its NOTIFICATION', () => {
    const line = session().notification(1, ErrorCode.UpdateMessage, 1);
    expect(line).toContain(KEPT);
    expect(line).toContain('arm stale for 60');
  });

  test('after a Cease that is no Hard Reset', () => {
    expect(
      session().notification(1, ErrorCode.Cease, CeaseSubcode.AdministrativeShutdown),
    ).toContain(KEPT);
  });

  test('after its hold time, which it is told', () => {
    const line = session().do(HOLD);
    expect(line).toContain('close 1 with 4/0');
    expect(line).toContain(KEPT);
  });

  test('after a NOTIFICATION of ours', () => {
    const line = session().do(fault(ErrorCode.UpdateMessage, 1));
    expect(line).toContain('close 1 with 3/1');
    expect(line).toContain(KEPT);
  });
});

describe('and go', () => {
  test('after a Hard Reset, whatever it wraps', () => {
    const data = Uint8Array.of(ErrorCode.Cease, CeaseSubcode.AdministrativeReset);
    const line = session().notification(1, ErrorCode.Cease, CeaseSubcode.HardReset, data);
    expect(line).toContain('received Cease/Hard Reset (Cease/Administrative Reset)');
    expect(line).toContain(GONE);
  });

  test.each([
    [true, false],
    [false, true],
  ])('unless both have announced it: ours %s, theirs %s', (ours, theirs) => {
    expect(session(ours, theirs).notification(1, ErrorCode.Cease, 4)).toContain(GONE);
    expect(session(ours, theirs).do(HOLD)).toContain(GONE);
  });
});

describe('the end that is meant is a Hard Reset', () => {
  const sent = (script: MachineScript, event: PeerEvent): string => {
    const effects: readonly PeerEffect[] = script.machine.handle(event, 0);
    const close = effects.find((effect) => effect.type === 'close');
    const told = close?.fault;
    return told ? Buffer.from([told.code, told.subcode, ...told.data]).toString('hex') : '';
  };

  test.each([
    [
      'a planned stop',
      { type: 'stop', fault: cease(CeaseSubcode.AdministrativeShutdown) },
      '06090602',
    ],
    [
      'a peer no longer configured',
      { type: 'stop', fault: cease(CeaseSubcode.PeerDeconfigured) },
      '06090603',
    ],
    ['too many prefixes', fault(ErrorCode.Cease, CeaseSubcode.MaximumPrefixes), '06090601'],
    [
      'another configuration',
      { type: 'stop', fault: cease(CeaseSubcode.OtherConfigurationChange) },
      '0606',
    ],
  ] satisfies [string, PeerEvent, string][])('%s', (_, event, octets) => {
    expect(sent(session(), event)).toBe(octets);
  });

  test('never to a peer without the N bit', () => {
    const stop: PeerEvent = { type: 'stop', fault: cease(CeaseSubcode.AdministrativeShutdown) };
    expect(sent(session(true, false), stop)).toBe('0602');
    expect(sent(session(false, true), stop)).toBe('0602');
  });

  test('nor before the session is up', () => {
    const gracefulRestart = { ...speaker.gracefulRestart, notification: true };
    const script = new MachineScript({}, { gracefulRestart });
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { restart: 'ipv4!', notification: true })).toContain('OpenConfirm');
    expect(sent(script, { type: 'stop', fault: cease(CeaseSubcode.AdministrativeShutdown) })).toBe(
      '0602',
    );
  });

  test('our own routes of that peer go, too', () => {
    const script = session();
    const line = script.do(fault(ErrorCode.Cease, CeaseSubcode.MaximumPrefixes));
    expect(line).toContain('close 1 with 6/9');
    expect(line).toContain(GONE);
  });
});

test('the N bit is announced only where it was asked for', () => {
  const bits = [true, false].map((ours) => {
    const gracefulRestart = { ...speaker.gracefulRestart, notification: ours };
    const script = new MachineScript({}, { gracefulRestart });
    script.do({ type: 'start' });
    return script.sentOpen(1).capabilities.gracefulRestart?.notification;
  });
  expect(bits).toEqual([true, false]);
});
