import type { Asn } from '@overland/net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  LOCAL,
  MachineScript,
  OWN_ID,
  peerConfig,
  speaker,
  type TheirOpen,
  theirOpen,
} from '../../../test/machine-script.ts';
import type { PeerConfig } from '../config.ts';
import { BgpError, CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';
import { NO_CAPABILITIES } from '../wire/capabilities.ts';
import { HEADER_OCTETS, MessageType } from '../wire/header.ts';
import { decodeOpen } from '../wire/open.ts';
import type { PeerEvent } from './peer-events.ts';
import { limitReached } from './prefix-limit.ts';

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

describe('the OPEN of the peer', () => {
  test.each<[string, TheirOpen, string]>([
    ['another AS', { asn: 65012 }, '2/2'],
    ['identifier zero', { id: '0.0.0.0' }, '2/3'],
    ['hold time 1', { hold: 1 }, '2/6'],
    ['hold time 2', { hold: 2 }, '2/6'],
  ])('%s is refused', (_, open, error) => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, open)).toContain(`close 1 with ${error}`);
  });

  test('no common family is refused', () => {
    const script = new MachineScript({ families: ['ipv6'] });
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { families: ['ipv4'] })).toContain('close 1 with 2/7');
  });

  test('our identifier in our own AS is refused, in another AS it is not', () => {
    const [internal, external] = [new MachineScript({ asn: 65101 as Asn }), new MachineScript()];
    for (const script of [internal, external]) {
      script.do({ type: 'start' });
      script.connected(1);
    }
    expect(internal.open(1, { id: OWN_ID, asn: 65101 })).toContain('close 1 with 2/3');
    expect(external.open(1, { id: OWN_ID })).toContain('OpenConfirm');
  });

  test('our least hold time counts, hold time 0 then too', () => {
    const refuse = (hold: number): string => {
      const script = new MachineScript({ minHoldSeconds: 6 });
      script.do({ type: 'start' });
      script.connected(1);
      return script.open(1, { hold });
    };
    expect(refuse(5)).toContain('2/6');
    expect(refuse(0)).toContain('2/6');
    expect(refuse(6)).toContain('arm hold 1 for 6, arm keepalive 1 for 2');
  });

  test('hold time 0 is legal', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { hold: 0 })).toBe(
      'send keepalive 1, disarm hold 1, OpenSent → OpenConfirm',
    );
  });

  test('an AS number of four octets is the one in the capability', () => {
    const script = new MachineScript({ asn: 70000 as Asn });
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { asn: 70000 })).toContain('OpenConfirm');
  });
});

describe('collision (RFC 4271 section 6.8)', () => {
  /** Both sides have dialled: 1 is ours, 2 theirs, both in OpenSent. */
  function colliding(): MachineScript {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    script.accepted();
    return script;
  }

  test('ours stays when our identifier is higher', () => {
    const script = colliding();
    script.open(1, { id: '10.0.0.1' });
    expect(script.open(2, { id: '10.0.0.1' })).toBe('close 2 with 6/7, forget 2');
    expect(script.keepalive(1)).toContain('OpenConfirm → Established');
  });

  test('theirs stays when their identifier is higher, compared as a number', () => {
    const script = colliding();
    script.open(1, { id: '10.0.0.10' });
    expect(script.open(2, { id: '10.0.0.10' })).toBe(
      'close 1 with 6/7, forget 1, send keepalive 2, arm hold 2 for 9, arm keepalive 2 for 3',
    );
  });

  test('the order of the two OPENs makes no difference', () => {
    const script = colliding();
    script.open(2, { id: '10.0.0.10' });
    expect(script.open(1, { id: '10.0.0.10' })).toBe('close 1 with 6/7, forget 1');
  });

  test('equal identifiers: the higher AS number wins', () => {
    const script = colliding();
    script.open(1, { id: OWN_ID });
    expect(script.open(2, { id: OWN_ID })).toContain('close 2 with 6/7');
  });

  test('the one that waits in OpenSent loses to Established', () => {
    const script = colliding();
    script.open(2);
    expect(script.keepalive(2)).toContain('close 1 with 6/7');
  });

  test('an attempt of ours gives way when theirs has an OPEN', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.accepted();
    expect(script.open(2)).toContain('close 1, forget 1');
  });

  test('a NOTIFICATION for the loser leaves the other connection alone', () => {
    const script = colliding();
    expect(script.notification(1, ErrorCode.Cease, CeaseSubcode.ConnectionCollision)).toBe(
      'received Cease/Connection Collision Resolution, close 1, forget 1',
    );
    expect(script.open(2)).toContain('OpenConfirm');
  });

  test('without graceful restart an Established session refuses newcomers', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.accepted()).toBe('close 2');
  });
});

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

describe('our own OPEN', () => {
  const restartBits = (script: MachineScript, connection: number): string => {
    const effects = script.machine.handle(
      { type: 'connected', connection, local: LOCAL },
      script.nowMs,
    );
    const open = effects.find((effect) => effect.type === 'send');
    const restart =
      open && decodeOpen(open.bytes.subarray(HEADER_OCTETS)).capabilities.gracefulRestart;
    const forwarding = restart?.families.filter((entry) => entry.forwarding) ?? [];
    return `R=${Number(restart?.restarted)} F=${forwarding.map(({ family }) => family)}`;
  };

  test('after a restart has R, and F where the kernel kept our routes', () => {
    const script = new MachineScript();
    script.do({ type: 'restart', restart: { restarting: true, preserved: ['ipv4'] } });
    script.do({ type: 'start' });
    expect(restartBits(script, 1)).toBe('R=1 F=ipv4');
  });

  test('after a cold start has neither, after a mere loss of TCP has F', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    expect(restartBits(script, 1)).toBe('R=0 F=');
    script.open(1, { restart: 'ipv4!' });
    script.keepalive(1);
    script.nowMs = 60_000;
    script.lost(1);
    expect(restartBits(script, 2)).toBe('R=0 F=ipv4,ipv6');
  });
});

describe('the link to the peer (fast external fallover)', () => {
  test('down ends the session without waiting, up dials at once', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.do({ type: 'link', usable: false })).toBe(
      'close 1, down keeping [], disarm stale, forget 1, Established → Idle',
    );
    expect(script.accepted()).toBe('close 2');
    expect(script.do({ type: 'link', usable: true })).toContain('dial 3');
  });

  test('down while waiting in Idle ends the wait', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    script.notification(1, ErrorCode.OpenMessage, 2);
    expect(script.do({ type: 'link', usable: false })).toBe('disarm idleHold');
    expect(script.do({ type: 'link', usable: true })).toContain('dial 2');
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
