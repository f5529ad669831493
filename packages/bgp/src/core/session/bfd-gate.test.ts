import { describe, expect, test } from 'vitest';
import { MachineScript, peerConfig, speaker } from '../../../test/machine-script.ts';
import type { BfdState } from './bfd-gate.ts';
import type { PeerEvent } from './peer-events.ts';

const bfd = (state: BfdState, controlPlaneIndependent = false): PeerEvent => ({
  type: 'bfd',
  state,
  controlPlaneIndependent,
});

describe('BFD ends sessions (RFC 9384)', () => {
  test('at once, with Cease/10, keeping nothing though graceful restart was negotiated', () => {
    const script = new MachineScript({ bfd: { strict: false } });
    script.establish({ restart: 'ipv4! ipv6!' });
    script.do(bfd('up'));
    expect(script.do(bfd('down'))).toBe(
      'close 1 with 6/10, down keeping [], disarm stale, forget 1, arm idleHold for 1, Established → Idle',
    );
  });

  test('one that is still being opened, too; TCP that is being dialled goes on', () => {
    const opening = new MachineScript({ bfd: { strict: false } });
    opening.do({ type: 'start' });
    opening.connected(1);
    expect(opening.do(bfd('down'))).toContain('close 1 with 6/10');
    const dialling = new MachineScript({ bfd: { strict: false } });
    dialling.do({ type: 'start' });
    expect(dialling.do(bfd('down'))).toBe('');
  });

  test('down again and again is down once', () => {
    const script = new MachineScript({ bfd: { strict: false } });
    script.do(bfd('down'));
    script.establish();
    expect(script.do(bfd('down'))).toBe('');
    expect(script.machine.state).toBe('Established');
  });

  test('BFD that is switched off leaves the session alone (RFC 5882 section 4.2)', () => {
    const script = new MachineScript({ bfd: { strict: true } });
    script.do(bfd('up'));
    script.establish();
    expect(script.do(bfd('admin-down'))).toBe('');
  });

  test('a peer without bfd does not follow it', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.do(bfd('down'))).toBe('');
    expect(script.machine.bfd).toBeUndefined();
  });
});

describe('BFD while the peer restarts (RFC 5882 section 4.3)', () => {
  const restarting = (): MachineScript => {
    const script = new MachineScript({ bfd: { strict: false } });
    script.establish({ restart: 'ipv4!' });
    script.do(bfd('up'));
    expect(script.lost(1)).toContain('down keeping [ipv4]');
    return script;
  };

  test('that shares the fate of its BGP: its routes stay', () => {
    expect(restarting().do(bfd('down'))).toBe('');
  });

  test('that is independent of its BGP: the forwarding is lost, and so are the routes', () => {
    expect(restarting().do(bfd('down', true))).toBe('flush ipv4, disarm stale');
  });
});

describe('strict: no session before BFD is up', () => {
  test('neither dialled nor accepted', () => {
    const script = new MachineScript({ bfd: { strict: true } });
    expect(script.do({ type: 'start' })).toBe('');
    expect(script.machine.awaitsBfd).toBe(true);
    expect(script.accepted()).toBe('close 1');
    expect(script.do(bfd('down'))).toBe('');
    expect(script.do(bfd('up'))).toBe('dial 2, arm connectRetry 2 for 5, Idle → Connect');
    expect(script.machine.awaitsBfd).toBe(false);
  });

  test('BFD that is switched off holds nothing up (RFC 5882 section 4.1)', () => {
    const script = new MachineScript({ bfd: { strict: true } });
    script.do({ type: 'start' });
    expect(script.do(bfd('admin-down'))).toContain('dial 1');
  });

  test('after a loss it waits, and begins at once when BFD is back', () => {
    const script = new MachineScript({ bfd: { strict: true } });
    script.do(bfd('up'));
    script.establish();
    expect(script.do(bfd('down'))).toBe(
      'close 1 with 6/10, down keeping [], disarm stale, forget 1, Established → Idle',
    );
    expect(script.do(bfd('up'))).toContain('dial 2');
  });

  test('dialling ends when BFD goes down', () => {
    const script = new MachineScript({ bfd: { strict: true } });
    script.do(bfd('up'));
    script.do({ type: 'start' });
    expect(script.do(bfd('down'))).toBe('close 1, forget 1, Connect → Idle');
  });

  test('a session that is there when strictness is asked for stays; one that is not waits', () => {
    const strict: PeerEvent = {
      type: 'configure',
      context: { speaker, config: { ...peerConfig, bfd: { strict: true } } },
    };
    const up = new MachineScript();
    up.establish();
    expect(up.do(strict)).toBe('');
    const dialling = new MachineScript();
    dialling.do({ type: 'start' });
    expect(dialling.do(strict)).toBe('close 1, forget 1, Connect → Idle');
  });

  test('lifted: it begins', () => {
    const script = new MachineScript({ bfd: { strict: true } });
    script.do({ type: 'start' });
    const config = { ...peerConfig, bfd: { strict: false } };
    expect(script.do({ type: 'configure', context: { speaker, config } })).toContain('dial 1');
  });
});
