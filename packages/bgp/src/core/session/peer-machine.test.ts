import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LOCAL, MachineScript, theirOpen } from '../../../test/machine-script.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';
import { NO_CAPABILITIES } from '../wire/capabilities.ts';
import { HEADER_OCTETS, MessageType } from '../wire/header.ts';
import { decodeOpen } from '../wire/open.ts';
import type { PeerEvent } from './peer-events.ts';

const stop: PeerEvent = {
  type: 'stop',
  fault: new BgpError(
    { code: ErrorCode.Cease, subcode: CeaseSubcode.AdministrativeShutdown },
    'stopped',
  ),
};

describe('one connection', () => {
  test('dialling to Established', () => {
    const script = new MachineScript();
    expect(script.do({ type: 'start' })).toBe('dial 1, arm connectRetry 1 for 5, Idle → Connect');
    expect(script.connected(1)).toBe(
      'disarm connectRetry 1, send open 1, arm hold 1 for 240, Connect → OpenSent',
    );
    expect(script.open(1)).toBe(
      'send keepalive 1, arm hold 1 for 9, arm keepalive 1 for 3, OpenSent → OpenConfirm',
    );
    expect(script.keepalive(1)).toBe(
      'restart hold 1, up ipv4+ipv6 hold 9, OpenConfirm → Established',
    );
  });

  test('a passive peer waits, and is dialled by nobody', () => {
    const script = new MachineScript({ passive: true });
    expect(script.do({ type: 'start' })).toBe('Idle → Active');
    expect(script.accepted()).toBe(
      'disarm connectRetry 2, send open 2, arm hold 2 for 240, Active → OpenSent',
    );
    expect(script.open(2)).toContain('OpenSent → OpenConfirm');
    expect(script.keepalive(2)).toContain('OpenConfirm → Established');
  });

  test('refused: wait in Active, dial again', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    expect(script.lost(1)).toBe(
      'close 1, disarm hold 1, arm connectRetry 1 for 5, Connect → Active',
    );
    expect(script.do({ type: 'timer', timer: 'connectRetry', connection: 1 })).toBe(
      'dial 1, arm connectRetry 1 for 5, Active → Connect',
    );
  });

  test('whoever is stopped is Idle, and refuses', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.do(stop)).toBe(
      'close 1 with 6/2, down keeping [], disarm stale, forget 1, Established → Idle',
    );
    expect(script.accepted()).toBe('close 2');
  });

  test('errors in a row make it wait longer: 1, 2, 4 seconds', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    const waits = [1, 2, 3].map((connection) => {
      script.connected(connection);
      const line = script.notification(connection, ErrorCode.OpenMessage, 2);
      script.do({ type: 'timer', timer: 'idleHold' });
      return line;
    });
    expect(waits[0]).toBe(
      'received OPEN Message Error/Bad Peer AS, close 1, forget 1, arm idleHold for 1, OpenSent → Idle',
    );
    expect(waits[1]).toContain('arm idleHold for 2');
    expect(waits[2]).toContain('arm idleHold for 4');
  });

  test('in Idle the peer is refused', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    script.notification(1, ErrorCode.OpenMessage, 2);
    expect(script.accepted()).toBe('close 2');
  });

  test('a session that had been stable is dialled again at once', () => {
    const script = new MachineScript();
    script.establish();
    script.nowMs = 31_000;
    expect(script.do({ type: 'timer', timer: 'hold', connection: 1 })).toBe(
      'close 1 with 4/0, down keeping [], disarm stale, forget 1, dial 2, arm connectRetry 2 for 5, Established → Connect',
    );
  });

  test('a peer that refuses optional parameters gets an OPEN without', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.notification(1, ErrorCode.OpenMessage, 4)).toContain('dial 2');
    const effects = script.machine.handle({ type: 'connected', connection: 2, local: LOCAL }, 0);
    const open = effects.find((effect) => effect.type === 'send');
    expect(open && decodeOpen(open.bytes.subarray(HEADER_OCTETS)).capabilities).toEqual(
      NO_CAPABILITIES,
    );
    expect(script.open(2, { capabilities: NO_CAPABILITIES })).toContain('OpenConfirm');
    expect(script.keepalive(2)).toContain('up ipv4 hold 9');
  });

  test('route refresh of a negotiated family reaches the engine', () => {
    const script = new MachineScript();
    script.establish({ families: ['ipv4'] });
    const refresh = (afi: number): string =>
      script.message(1, MessageType.RouteRefresh, Uint8Array.of(0, afi, 0, 1));
    expect(refresh(1)).toBe('restart hold 1, refresh ipv4');
    expect(refresh(2)).toBe('restart hold 1');
    expect(script.message(1, MessageType.RouteRefresh, Uint8Array.of(0))).toContain('7/1');
  });
});

test('whatever happens, nothing throws, and stop leads to Idle with nothing left open', () => {
  const connection = fc.integer({ min: 1, max: 4 });
  const message = fc.oneof(
    fc.constant([MessageType.Open, theirOpen()] as const),
    fc.constant([MessageType.Open, theirOpen({ id: '10.0.0.10', restart: 'ipv4!' })] as const),
    fc.constant([MessageType.Keepalive, new Uint8Array()] as const),
    fc.constant([MessageType.Notification, Uint8Array.of(6, 7)] as const),
    fc.tuple(fc.integer({ min: 1, max: 5 }), fc.uint8Array({ minLength: 4, maxLength: 40 })),
  );
  const event: fc.Arbitrary<PeerEvent> = fc.oneof(
    fc.constant<PeerEvent>({ type: 'start' }),
    fc.constant<PeerEvent>(stop),
    fc.record({ type: fc.constant('link' as const), usable: fc.boolean() }),
    fc.record({
      type: fc.constant('bfd' as const),
      state: fc.constantFrom('up' as const, 'down' as const, 'admin-down' as const),
      controlPlaneIndependent: fc.boolean(),
    }),
    fc.record({
      type: fc.constantFrom('connected' as const, 'accepted' as const),
      connection,
      local: fc.constant(LOCAL),
    }),
    fc.record({ type: fc.constant('lost' as const), connection, reason: fc.constant('reset') }),
    fc.record({
      type: fc.constant('timer' as const),
      timer: fc.constantFrom(
        'idleHold' as const,
        'stale' as const,
        'hold' as const,
        'keepalive' as const,
        'connectRetry' as const,
      ),
      connection,
    }),
    fc.tuple(connection, message).map(([id, [messageType, body]]) => ({
      type: 'message' as const,
      connection: id,
      messageType,
      body: body.length < 10 && messageType === 1 ? theirOpen() : body,
    })),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(event, { maxLength: 60 }), (strict, events) => {
      const script = new MachineScript({ bfd: { strict } });
      const open = new Set<number>();
      const run = (next: PeerEvent): void => {
        if (next.type === 'accepted') {
          if (open.has(next.connection)) return;
          open.add(next.connection);
        }
        for (const effect of script.machine.handle(next, script.nowMs)) {
          if (effect.type === 'dial') open.add(effect.connection);
          if (effect.type === 'close') open.delete(effect.connection);
        }
        script.nowMs += 700;
      };
      for (const next of events) run(next);
      run(stop);
      expect(script.machine.state).toBe('Idle');
      expect([...open]).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
