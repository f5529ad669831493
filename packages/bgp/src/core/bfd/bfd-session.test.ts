import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BfdSession } from './bfd-session.ts';
import { type ControlPacket, Diagnostic, SESSION_STATES } from './control-packet.ts';
import { jitteredUs } from './intervals.ts';
import { FAST, SimulatedLink } from './simulated-link.ts';
import { transition } from './state-table.ts';

const SECOND = 1_000_000;

const packet = (change: Partial<ControlPacket> = {}): ControlPacket => ({
  diagnostic: 0,
  state: 'Down',
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 3,
  myDiscriminator: 7,
  yourDiscriminator: 0,
  desiredMinTxUs: SECOND,
  requiredMinRxUs: 50_000,
  requiredMinEchoRxUs: 0,
  ...change,
});

const at = (nowUs: number, random = 0.5) => ({ nowUs, random });

/** A link whose sessions are Up and have settled their intervals. */
function upLink(...ends: ConstructorParameters<typeof SimulatedLink>): SimulatedLink {
  const link = new SimulatedLink(...ends);
  link.run(10 * SECOND);
  expect([link.a.state, link.b.state]).toEqual(['Up', 'Up']);
  return link;
}

/** What arrives takes effect as `changed` and `send`, in words. */
function trace(session: BfdSession, received: ControlPacket, nowUs = 0): string[] {
  return session.receive(received, at(nowUs)).map((effect) => {
    if (effect.type === 'changed') return `${effect.from} -> ${effect.to}`;
    const { state, poll, final, diagnostic } = effect.packet;
    return `send ${state}${poll ? ' P' : ''}${final ? ' F' : ''} diag ${diagnostic}`;
  });
}

test('the table of RFC 5880 section 6.8.6', () => {
  const rows = SESSION_STATES.map((own) =>
    SESSION_STATES.map((received) => transition(own, received)?.[0] ?? '-').join(' '),
  );
  // Received:  AdminDown Down Init Up
  expect(rows).toEqual(['- - - -', '- Init Up -', 'Down - Up Up', 'Down Down - -']);
});

describe('coming up', () => {
  test('three packets, one interval of at most a second', () => {
    const link = new SimulatedLink();
    link.run(1.1 * SECOND);
    expect(link.changes.map(({ end, to }) => `${end} ${to}`).toSorted()).toEqual([
      'a Init',
      'a Up',
      'b Init',
      'b Up',
    ]);
    expect([link.a.verdict, link.b.verdict]).toEqual(['up', 'up']);
  });

  test('until then no more than a packet a second, and it says so', () => {
    const link = new SimulatedLink();
    link.loses = () => true;
    link.run(20 * SECOND);
    const ours = link.sent.filter(({ from }) => from === 'a');
    expect(ours.length).toBeLessThanOrEqual(27);
    expect(ours.every(({ packet }) => packet.desiredMinTxUs === SECOND)).toBe(true);
  });

  test('then at the pace that was agreed: the slower of what one wants and the other takes', () => {
    const link = upLink({ transmitIntervalUs: 20_000 }, { receiveIntervalUs: 80_000 });
    expect(link.a.transmitUs).toBe(80_000);
    expect(link.b.transmitUs).toBe(50_000);
    expect(link.a.detectionUs).toBe(150_000);
    expect(link.b.detectionUs).toBe(240_000);
  });

  test('a passive end waits for the other; two of them wait forever', () => {
    upLink({ passive: true });
    const silent = new SimulatedLink({ passive: true }, { passive: true });
    silent.run(60 * SECOND);
    expect(silent.sent).toEqual([]);
    expect(silent.a.dueUs).toBe(Infinity);
  });

  test('each end learns from the other the discriminator that it asks back', () => {
    const link = upLink();
    const last = link.sent.at(-1)?.packet;
    expect([last?.myDiscriminator, last?.yourDiscriminator].toSorted()).toEqual([0xa, 0xb]);
  });
});

test('settings that are given again change nothing: the first packet is not put off', () => {
  const session = new BfdSession(1, FAST, at(0));
  const due = session.dueUs;
  expect(session.configure(FAST, at(400_000))).toEqual([]);
  expect(session.dueUs).toBe(due);
});

test('who hears the peer first answers at once', () => {
  const session = new BfdSession(1, FAST, at(0));
  expect(trace(session, packet(), 1000)).toEqual(['Down -> Init', 'send Init diag 0']);
});

describe('going down', () => {
  test('after the detection time without a packet, no sooner', () => {
    const link = upLink();
    const cutUs = link.nowUs;
    link.loses = () => true;
    link.run(SECOND, () => link.a.state === 'Down');
    const tookUs = link.nowUs - cutUs;
    expect(tookUs).toBeGreaterThanOrEqual(150_000 - 50_000);
    expect(tookUs).toBeLessThanOrEqual(150_000 + 1000);
    expect(link.a.diagnostic).toBe(Diagnostic.DetectionTimeExpired);
    expect(link.a.verdict).toBe('down');
  });

  test('cut one way: the end that still hears is told by the other', () => {
    const link = upLink();
    link.loses = (from) => from === 'a';
    link.run(SECOND, () => link.a.state === 'Down');
    expect(link.a.diagnostic).toBe(Diagnostic.NeighbourSignaledDown);
    expect(link.b.diagnostic).toBe(Diagnostic.DetectionTimeExpired);
    link.run(20 * SECOND);
    expect(link.b.state).not.toBe('Up');
    expect(link.a.state).not.toBe('Up');
  });

  test('two of three lost packets are no alarm', () => {
    const link = upLink();
    let count = 0;
    link.loses = () => {
      count += 1;
      return count % 6 > 1;
    };
    link.run(20 * SECOND);
    expect([link.a.state, link.b.state]).toEqual(['Up', 'Up']);
  });

  test('nothing is known any more of a peer that fell silent', () => {
    const session = new BfdSession(1, FAST, at(0));
    session.receive(packet({ requiredMinRxUs: 0 }), at(0));
    expect(session.dueUs).toBe(3 * SECOND);
    session.expire(at(3 * SECOND));
    expect(session.remote.discriminator).toBe(0);
    expect(session.dueUs).toBeLessThan(Infinity);
    expect(session.verdict).toBe('unproven');
  });
});

describe('switched off on purpose says nothing about the path (RFC 5882 section 3.2)', () => {
  test('by the peer, also when it falls silent afterwards', () => {
    const link = upLink();
    link.apply('b', link.b.disable(link.moment()));
    link.run(0.01 * SECOND);
    expect([link.a.state, link.a.verdict]).toEqual(['Down', 'admin-down']);
    link.loses = () => true;
    link.run(20 * SECOND);
    expect(link.a.verdict).toBe('admin-down');
  });

  test('by us: the peer hears it even if most packets get lost', () => {
    const link = upLink();
    let count = 0;
    link.loses = (from) => {
      if (from === 'a') count += 1;
      return from === 'a' && count < 3;
    };
    link.apply('a', link.a.disable(link.moment()));
    link.run(link.a.farewellUs);
    expect(link.b.verdict).toBe('admin-down');
    expect(link.a.diagnostic).toBe(Diagnostic.AdministrativelyDown);
  });

  test('nobody is there to be told', () => {
    const session = new BfdSession(1, FAST, at(0));
    expect(session.disable(at(0)).map(({ type }) => type)).toEqual(['changed']);
    expect(session.farewellUs).toBe(0);
    expect(session.dueUs).toBe(Infinity);
  });

  test('and it stays so, whatever the peer sends', () => {
    const session = new BfdSession(1, FAST, at(0));
    session.disable(at(0));
    expect(trace(session, packet({ poll: true }))).toEqual([]);
    expect(session.state).toBe('AdminDown');
  });
});

describe('poll sequence', () => {
  test('a poll is answered at once, with F and without P', () => {
    const session = new BfdSession(1, FAST, at(0));
    expect(trace(session, packet({ poll: true }))).toEqual(['Down -> Init', 'send Init F diag 0']);
  });

  test('a slower pace is taken only when the peer has confirmed it', () => {
    const link = upLink();
    link.loses = () => true;
    link.apply('a', link.a.configure({ ...FAST, transmitIntervalUs: 90_000 }, link.moment()));
    expect(link.a.transmitUs).toBe(50_000);
    link.run(40_000);
    link.loses = () => false;
    link.run(100_000);
    expect(link.a.transmitUs).toBe(90_000);
    expect(link.b.detectionUs).toBe(270_000);
    expect(link.a.state).toBe('Up');
  });

  test('a shorter detection time too', () => {
    const link = upLink({ receiveIntervalUs: 300_000 });
    expect(link.a.detectionUs).toBe(900_000);
    link.loses = (from) => from === 'b';
    link.apply('a', link.a.configure(FAST, link.moment()));
    link.run(200_000);
    expect(link.a.detectionUs).toBe(900_000);
    link.loses = () => false;
    link.run(SECOND);
    expect([link.a.detectionUs, link.a.state]).toEqual([150_000, 'Up']);
  });

  test('settings that change during a poll have one of their own', () => {
    const link = upLink();
    link.apply('a', link.a.configure({ ...FAST, transmitIntervalUs: 90_000 }, link.moment()));
    link.apply('a', link.a.configure({ ...FAST, transmitIntervalUs: 70_000 }, link.moment()));
    link.run(SECOND);
    expect([link.a.transmitUs, link.b.detectionUs]).toEqual([70_000, 210_000]);
  });
});

test('a peer in demand mode is left in peace while both are Up, but polled', () => {
  const session = new BfdSession(1, FAST, at(0));
  const demand = { demand: true, yourDiscriminator: 1, desiredMinTxUs: 50_000 };
  session.receive(packet({ ...demand, state: 'Init' }), at(0));
  expect(session.state).toBe('Up');
  session.receive(packet({ ...demand, state: 'Up', final: true }), at(1000));
  expect(session.dueUs).toBe(1000 + session.detectionUs);
  session.configure({ ...FAST, transmitIntervalUs: 60_000 }, at(2000));
  expect(session.dueUs).toBeLessThan(1000 + session.detectionUs);
});

test('a peer that wants no packets gets none, but its polls are answered', () => {
  const session = new BfdSession(1, FAST, at(0));
  expect(trace(session, packet({ requiredMinRxUs: 0 }))).toEqual(['Down -> Init']);
  expect(session.transmitUs).toBeUndefined();
  expect(trace(session, packet({ requiredMinRxUs: 0, poll: true }))).toEqual([
    'send Init F diag 0',
  ]);
});

test('jitter is 75 to 100 %, with a multiplier of 1 to 90 %', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(random, (chance) => {
      expect(jitteredUs(100_000, 3, chance)).toBeGreaterThanOrEqual(75_000);
      expect(jitteredUs(100_000, 3, chance)).toBeLessThanOrEqual(100_000);
      expect(jitteredUs(100_000, 1, chance)).toBeLessThanOrEqual(90_000);
    }),
  );
});
