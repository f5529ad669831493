import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BgpError, ErrorCode } from '../wire/bgp-error.ts';
import { type Effect, type Event, type State, step } from './fsm.ts';

const fault = new BgpError({ code: ErrorCode.OpenMessage, subcode: 2 }, 'AS 65009, not 65001');
const shutdown = new BgpError({ code: ErrorCode.Cease, subcode: 2 }, 'stopped');
const start: Event = { type: 'Start', retrySeconds: 5 };
const tcpFails: Event = { type: 'TcpConnectionFails', retrySeconds: 5 };
const open: Event = { type: 'BgpOpen', holdSeconds: 9, keepaliveSeconds: 3 };
const of = (type: 'TcpConnected' | 'KeepAliveMsg' | 'NotifMsg' | 'HoldTimerExpires'): Event => ({
  type,
});
const toEstablished = [start, of('TcpConnected'), open, of('KeepAliveMsg')];

/** `OpenSent: disarm connectRetry, send open, arm hold 240`: one line per event. */
function trace(events: readonly Event[], from: State = 'Idle'): string[] {
  let state = from;
  return events.map((event) => {
    const [next, ...effects] = step(state, event);
    state = next;
    return [next, effects.map(words).join(', ')].filter((part) => part !== '').join(': ');
  });
}

function words(effect: Effect): string {
  switch (effect.type) {
    case 'send':
      return `send ${effect.message}`;
    case 'arm':
      return `arm ${effect.timer} ${effect.seconds}`;
    case 'restart':
    case 'disarm':
      return `${effect.type} ${effect.timer}`;
    case 'release':
      return effect.fault ? `release ${effect.fault.code}/${effect.fault.subcode}` : 'release';
    default:
      return effect.type;
  }
}

describe('traces', () => {
  test('dialling to Established', () => {
    expect(trace(toEstablished)).toEqual([
      'Connect: connect, arm connectRetry 5',
      'OpenSent: disarm connectRetry, send open, arm hold 240',
      'OpenConfirm: send keepalive, arm hold 9, arm keepalive 3',
      'Established: restart hold',
    ]);
  });

  test('being dialled to Established', () => {
    expect(trace([{ type: 'StartPassive' }, of('TcpConnected'), open, of('KeepAliveMsg')])).toEqual(
      [
        'Active',
        'OpenSent: disarm connectRetry, send open, arm hold 240',
        'OpenConfirm: send keepalive, arm hold 9, arm keepalive 3',
        'Established: restart hold',
      ],
    );
  });

  test('hold time 0 runs no timer', () => {
    const never: Event = { type: 'BgpOpen', holdSeconds: 0, keepaliveSeconds: 0 };
    expect(trace([never], 'OpenSent')).toEqual(['OpenConfirm: send keepalive, disarm hold']);
  });

  test('nobody answers: dial again when the retry timer says so', () => {
    const retry: Event = { type: 'ConnectRetryTimerExpires', retrySeconds: 4.5 };
    expect(trace([start, retry, tcpFails, retry])).toEqual([
      'Connect: connect, arm connectRetry 5',
      'Connect: abandon, connect, arm connectRetry 4.5',
      'Active: abandon, disarm hold, arm connectRetry 5',
      'Connect: connect, arm connectRetry 4.5',
    ]);
  });

  test('the peer hangs up before its OPEN', () => {
    expect(trace([tcpFails], 'OpenSent')).toEqual([
      'Active: abandon, disarm hold, arm connectRetry 5',
    ]);
  });

  test('a keepalive is sent whenever its timer says so', () => {
    expect(trace([{ type: 'KeepaliveTimerExpires' }], 'Established')).toEqual([
      'Established: send keepalive, restart keepalive',
    ]);
  });
});

describe('the ends of a session', () => {
  const established = (event: Event): string[] => trace([event], 'Established');

  test.each([
    ['the hold timer', of('HoldTimerExpires'), 'Idle: release 4/0'],
    ['a fault of ours to report', { type: 'MessageFault', fault } as const, 'Idle: release 2/2'],
    ['a NOTIFICATION is never answered', of('NotifMsg'), 'Idle: release'],
    ['TCP', tcpFails, 'Idle: release'],
    ['a second OPEN', open, 'Idle: release 5/3'],
    ['the operator', { type: 'Stop', fault: shutdown } as const, 'Idle: release 6/2'],
    ['a silent stop', { type: 'Stop' } as const, 'Idle: release'],
    ['a collision', { type: 'OpenCollisionDump' } as const, 'Idle: release 6/7'],
  ])('%s', (_, event, line) => expect(established(event)).toEqual([line]));
});

test.each([
  ['OpenSent', of('KeepAliveMsg'), '5/1'],
  ['OpenSent', { type: 'UpdateMsg' } as const, '5/1'],
  ['OpenConfirm', { type: 'UpdateMsg' } as const, '5/2'],
  ['OpenConfirm', open, '5/2'],
  ['OpenConfirm', { type: 'RouteRefreshMsg' } as const, '5/2'],
] as const)('in %s, %o is the FSM error of RFC 6608', (state, event, error) => {
  expect(trace([event], state)).toEqual([`Idle: release ${error}`]);
});

const retrySeconds = fc.double({ min: 0, max: 120, noNaN: true });
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    type: fc.constantFrom(
      'Start' as const,
      'ConnectRetryTimerExpires' as const,
      'TcpConnectionFails' as const,
    ),
    retrySeconds,
  }),
  fc.record({
    type: fc.constant('BgpOpen' as const),
    holdSeconds: fc.constantFrom(0, 3, 9, 180),
    keepaliveSeconds: fc.constantFrom(1, 3, 60),
  }),
  fc.constantFrom<Event>({ type: 'Stop', fault: shutdown }, { type: 'MessageFault', fault }),
  fc
    .constantFrom(
      'StartPassive' as const,
      'HoldTimerExpires' as const,
      'KeepaliveTimerExpires' as const,
      'TcpConnected' as const,
      'OpenCollisionDump' as const,
      'NotifMsg' as const,
      'KeepAliveMsg' as const,
      'UpdateMsg' as const,
      'RouteRefreshMsg' as const,
    )
    .map((type) => ({ type })),
);
const anyHistory = fc.array(anyEvent, { maxLength: 40 });
const run = (events: readonly Event[]): State =>
  events.reduce<State>((state, event) => step(state, event)[0], 'Idle');

describe('whatever happened before', () => {
  test('no event throws, and Stop leads to Idle', () => {
    fc.assert(
      fc.property(anyHistory, (events) => {
        expect(step(run(events), { type: 'Stop', fault: shutdown })[0]).toBe('Idle');
      }),
    );
  });

  test('Established is entered by KEEPALIVE in OpenConfirm alone', () => {
    fc.assert(
      fc.property(anyHistory, anyEvent, (events, event) => {
        const before = run(events);
        const [after] = step(before, event);
        if (after !== 'Established' || before === 'Established') return;
        expect([before, event.type]).toEqual(['OpenConfirm', 'KeepAliveMsg']);
      }),
    );
  });

  test('whoever falls to Idle releases everything', () => {
    fc.assert(
      fc.property(anyHistory, anyEvent, (events, event) => {
        const before = run(events);
        const [after, ...effects] = step(before, event);
        if (after !== 'Idle' || before === 'Idle') return;
        expect(effects.at(-1)?.type).toBe('release');
      }),
    );
  });
});
