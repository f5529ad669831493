import { type Family, parsePrefix } from '@overland/net';
import { expect } from 'vitest';
import type { PeerConfig } from '../src/core/config.ts';
import type { TraceRecorder } from '../src/core/trace/trace-recorder.ts';
import type { Capabilities } from '../src/core/wire/capabilities.ts';
import {
  encodeMessage,
  MAX_EXTENDED_OCTETS,
  MAX_MESSAGE_OCTETS,
  MessageType,
} from '../src/core/wire/header.ts';
import { encodeNotification } from '../src/core/wire/notification.ts';
import { address, theirOpen } from './machine-script.ts';
import type { Chance } from './mutations.ts';
import { NaiveTable, shownText } from './naive-table.ts';
import { PureSession } from './pure-session.ts';
import { connect, link, peerConfig, Speaker, settle, speakerConfig } from './two-speakers.ts';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const ASN = 65101;
const PEER = 1;
const RECEIVER = 2;
const LOCAL = address('10.1.0.254');
const CONFIG = peerConfig('10.1.0.1', 65011);
/** Everything that changes how messages are read or what becomes of routes. */
const ALL_CONFIG: PeerConfig = {
  ...CONFIG,
  addPath: { receive: true, send: 'all' },
  extendedMessages: true,
  extendedNextHop: true,
};
const ALL_CAPABILITIES: Capabilities = {
  families: FAMILIES,
  extendedNextHop: ['ipv4'],
  fourOctetAs: 65011,
  routeRefresh: true,
  extendedMessages: true,
  enhancedRouteRefresh: true,
  roles: [],
  gracefulRestart: {
    restarted: true,
    notification: true,
    restartSeconds: 60,
    families: FAMILIES.map((family) => ({ family, forwarding: true })),
  },
  longLivedRestart: FAMILIES.map((family) => ({ family, forwarding: true, staleSeconds: 3600 })),
  addPath: FAMILIES.map((family) => ({ family, receive: true, send: true })),
};

/** Subcodes that may be sent with each code. RFC 4271, 4486, 5492, 6608, 7313, 8538, 9234, 9384. */
const LEGAL: Readonly<Record<number, readonly number[]>> = {
  1: [1, 2, 3],
  2: [0, 1, 2, 3, 4, 6, 7, 11],
  3: [1, 2, 3, 4, 5, 6, 8, 9, 10, 11],
  4: [0],
  5: [0, 1, 2, 3],
  6: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  7: [1],
};

/**
 * A speaker whose eBGP peer sends what it likes: after each message the session is Established, or has ended in a legal way and
 * comes up again. A table read message by message, a kernel and a second peer say what the speaker must have.
 *
 * With `everything`, sessions have path identifiers, long messages and long-lived routes as well, and there is an aggregate; the kernel and the
 * second peer, which gets several paths, are all that is compared then.
 */
export class HostilePeer {
  /** Sessions that a message has ended, and messages that none has ended. */
  ends = 0;
  survived = 0;
  readonly #chance: Chance;
  readonly #table = new NaiveTable();
  readonly #dut: Speaker;
  readonly #receiver = new Speaker(speakerConfig(65999, { routerId: address('192.0.2.9') }));
  readonly #session: PureSession;

  readonly #hasEverything: boolean;

  constructor(
    chance: Chance,
    recorder?: TraceRecorder,
    offers: 'little' | 'everything' = 'little',
  ) {
    this.#chance = chance;
    this.#hasEverything = offers === 'everything';
    const config = this.#hasEverything ? ALL_CONFIG : CONFIG;
    const speaker = speakerConfig(ASN, {
      peers: [config],
      ...(this.#hasEverything && {
        aggregates: [{ prefix: parsePrefix('10.0.0.0/8'), summaryOnly: true }],
      }),
      gracefulRestart: {
        enabled: true,
        restartSeconds: 120,
        notification: true,
        ...(this.#hasEverything && { longLivedStaleSeconds: 3600 }),
        stalePathSeconds: 300,
        deferralSeconds: 30,
      },
    });
    this.#dut = new Speaker(speaker, {}, recorder);
    const subnet = ['10.1.0.254/24', 'fd00::fe/64'];
    this.#dut.engine.setInterfaces([link('eth0', subnet)]);
    this.#receiver.engine.setInterfaces([link('eth0', ['10.9.0.9/24', 'fd09::9/64'])]);
    for (const { engine } of [this.#dut, this.#receiver]) engine.endDeferral();
    connect(
      {
        ...{ speaker: this.#dut, asn: ASN, address: '10.9.0.254', peer: RECEIVER },
        ...(this.#hasEverything && { config: { addPath: { receive: false, send: 'all' } } }),
      },
      { speaker: this.#receiver, asn: 65999, address: '10.9.0.9', peer: 0 },
      this.#hasEverything ? { addPath: { receive: FAMILIES, send: FAMILIES } } : {},
    );
    this.#session = new PureSession(
      this.#dut,
      { id: PEER, context: { speaker, config } },
      (body) => this.#note(body),
      recorder,
    );
    this.#session.handle({ type: 'start' });
    this.#establish();
  }

  /** Sends a message, in pieces, and looks at what becomes of the session. */
  send(message: Uint8Array): void {
    const session = this.#session;
    const { session: before } = session;
    if (!before) throw new Error('no session to send over');
    const cut = this.#chance.oneIn(4) ? this.#chance.below(message.length + 1) : message.length;
    session.receive(message.slice(0, cut));
    session.receive(message.slice(cut));
    this.#dut.engine.step(this.#chance.below(50));
    if (session.session === before && session.machine.state === 'Established') {
      this.survived += 1;
      // A length that promises more would swallow what follows.
      if (session.pendingOctets > 0) this.#restart(true);
      return;
    }
    this.ends += 1;
    this.#judgeEnd();
    this.#restart(false);
  }

  /** Compares everything with what the messages say. */
  check(): void {
    settle(this.#dut, this.#receiver);
    const { engine } = this.#dut;
    for (const family of FAMILIES) {
      const views = this.#dut.routes(family, 1000);
      const shown = views.flatMap(({ prefix, paths }) =>
        paths.map((path) => `${prefix} ${shownText(path)}`),
      );
      const known = [...this.#table.routes[family]].map(([prefix, text]) => `${prefix} ${text}`);
      if (!this.#hasEverything) expect(shown.toSorted()).toEqual(known.toSorted());
      const best = views.filter(({ paths }) => paths.some((path) => path.best));
      const eligible = views.filter(({ paths }) =>
        paths.some(({ usable, refused }) => usable && refused === null),
      );
      expect(best).toEqual(eligible);
      const prefixes = best.map(({ prefix }) => prefix);
      const kernel = [...this.#dut.kernel.routes.keys()];
      const ofFamily = kernel.filter((prefix) => prefix.includes(':') === (family === 'ipv6'));
      expect(ofFamily.toSorted()).toEqual(prefixes.toSorted());
      const sent = engine.routes({ family, limit: 100_000, advertisedTo: RECEIVER }).routes;
      const held = this.#receiver.routes(family, 1000).map(({ prefix }) => prefix);
      expect(held).toEqual(sent.map(({ prefix }) => prefix));
    }
  }

  #note(body: Uint8Array): void {
    if (this.#hasEverything) return;
    const context = { fourOctetAs: true, ebgp: true, families: FAMILIES, refusesAsSets: true };
    if (!this.#table.receive(body, context)) throw new Error('the session should have ended');
  }

  #judgeEnd(): void {
    const { closed } = this.#session;
    if (!closed) throw new Error('the session has ended, its connection has not');
    if (!closed.fault) return; // after a NOTIFICATION of the peer
    const { code, subcode, data } = closed.fault;
    const whole = encodeNotification({ code, subcode, data });
    const most = this.#hasEverything ? MAX_EXTENDED_OCTETS : MAX_MESSAGE_OCTETS;
    const isLegal = LEGAL[code]?.includes(subcode) && whole.length <= most;
    if (!isLegal) throw new Error(`NOTIFICATION ${code}/${subcode}, ${whole.length} octets`);
  }

  /** Nothing stays of what the peer has sent, and it comes back. @param loses It closes TCP first. */
  #restart(loses: boolean): void {
    const session = this.#session;
    if (loses) session.lose();
    if (session.armed.has('stale')) session.handle({ type: 'timer', timer: 'stale' });
    this.#table.clear();
    this.#establish();
  }

  #establish(): void {
    const session = this.#session;
    session.connect(LOCAL);
    session.receive(encodeMessage(MessageType.Open, this.#open()));
    session.receive(encodeMessage(MessageType.Keepalive, new Uint8Array(0)));
    if (!session.session) throw new Error(`stuck in ${session.machine.state}`);
    session.nowMs += 60_000;
  }

  #open(): Uint8Array {
    // Without them all now and then: what is kept of one session is then read by other rules in the next.
    if (this.#hasEverything && !this.#chance.oneIn(8)) {
      return theirOpen({ capabilities: ALL_CAPABILITIES });
    }
    return theirOpen(this.#chance.oneIn(2) ? { restart: 'ipv4! ipv6', notification: true } : {});
  }
}
