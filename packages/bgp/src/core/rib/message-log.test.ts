import { type Family, parseAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { link, peerConfig, sessionWith, speakerConfig } from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import { describeMessage } from '../wire/describe-message.ts';
import { createRouteEngine } from './engine.ts';
import type { RouteEngine } from './route-engine.ts';

const PEERS = 4;
const ASN = 65000;
const PREFIXES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: Array.from({ length: 12 }, (_, i) => `10.${i + 1}.0.0/16`),
  ipv6: Array.from({ length: 12 }, (_, i) => `fd00:${i + 1}::/32`),
};
const MAX_OCTETS = 4096;

type Act =
  | {
      readonly type: 'announce';
      readonly from: number;
      readonly at: number;
      readonly count: number;
      readonly path: number;
    }
  | {
      readonly type: 'withdraw';
      readonly from: number;
      readonly at: number;
      readonly count: number;
    }
  | { readonly type: 'step'; readonly units: number }
  | { readonly type: 'send'; readonly to: number; readonly messages: number }
  | { readonly type: 'refresh' | 'flap'; readonly peer: number }
  | { readonly type: 'configure'; readonly nextHop: 'self' | 'auto' }
  | { readonly type: 'rest' };

interface Setting {
  readonly family: Family;
  readonly ebgp: boolean;
  /** Whether each peer has a link of its own, and so another next hop of ours. */
  readonly links: 'one' | 'many';
}

/** An engine with four peers, of which some are listened to. */
class Listened {
  readonly #engine: RouteEngine;
  readonly #setting: Setting;
  readonly #heard: (Map<string, string> | undefined)[];
  #nextHop: PeerConfig['nextHop'] = 'auto';

  constructor(setting: Setting, listened: readonly number[]) {
    this.#setting = setting;
    this.#heard = Array.from({ length: PEERS }, (_, n) =>
      listened.includes(n) ? new Map() : undefined,
    );
    this.#engine = createRouteEngine(this.#config());
    this.#engine.setInterfaces(
      setting.links === 'one'
        ? [link('eth0', ['10.200.0.254/24', 'fd00:200::fe/64'])]
        : Array.from({ length: PEERS }, (_, n) =>
            link(`eth${n}`, [`10.20${n}.0.254/24`, `fd00:20${n}::fe/64`]),
          ),
    );
    this.#engine.endDeferral();
    for (let n = 0; n < PEERS; n += 1) this.#up(n);
  }

  do(act: Act): void {
    const { family } = this.#setting;
    switch (act.type) {
      case 'announce':
      case 'withdraw': {
        const prefixes = PREFIXES[family].slice(act.at, act.at + act.count);
        const asPath = act.type === 'announce' ? [this.#asn(act.from), 65100 + act.path] : [];
        const update =
          act.type === 'withdraw'
            ? { withdraw: prefixes }
            : {
                announce: prefixes,
                nextHop: this.#address(act.from),
                asPath: this.#setting.ebgp ? asPath : asPath.slice(1),
              };
        this.#engine.receiveUpdate(
          act.from,
          updateOctets({ ...update, ...(!this.#setting.ebgp && { localPref: 100 }) }),
        );
        break;
      }
      case 'step':
        this.#engine.step(act.units);
        break;
      case 'send':
        this.#send(act.to, act.messages);
        break;
      case 'refresh':
        this.#engine.refresh(act.peer, family);
        break;
      case 'flap':
        this.#engine.peerDown(act.peer, []);
        this.#heard[act.peer]?.clear();
        this.#up(act.peer);
        break;
      case 'rest':
        this.rest();
        break;
      case 'configure':
        this.#nextHop = act.nextHop;
        this.#engine.configure(this.#config());
    }
  }

  /** Everything that is left is sent, peers in turns. */
  rest(): void {
    for (let more = true; more; ) {
      more = this.#engine.step(64);
      for (let n = 0; n < PEERS; n += 1) more = this.#send(n, 2) || more;
    }
  }

  /** What a peer has heard: attributes by prefix. */
  heardBy(peer: number): ReadonlyMap<string, string> {
    return new Map([...(this.#heard[peer] ?? [])].toSorted());
  }

  #config(): SpeakerConfig {
    return speakerConfig(ASN, {
      role: this.#setting.ebgp ? 'router' : 'reflector',
      peers: Array.from({ length: PEERS }, (_, n) => this.#peer(n)),
    });
  }

  #peer(n: number): PeerConfig {
    const { family, ebgp } = this.#setting;
    const overrides = { families: [family], nextHop: this.#nextHop, routeReflectorClient: !ebgp };
    return peerConfig(this.#address(n), this.#asn(n), overrides);
  }

  #up(n: number): void {
    const address = this.#address(n).replace(/1$/, this.#setting.family === 'ipv4' ? '254' : 'fe');
    const local =
      this.#setting.links === 'one'
        ? this.#address(n).replace(/[^.:]+$/, this.#setting.family === 'ipv4' ? '254' : 'fe')
        : address;
    this.#engine.peerUp(
      sessionWith(
        n,
        this.#peer(n),
        { asn: ASN, address: local },
        { peerRouterId: parseAddress(`192.0.2.${n + 1}`) },
      ),
    );
  }

  #asn(n: number): number {
    return this.#setting.ebgp ? 65001 + n : ASN;
  }

  #address(n: number): string {
    const { family, links } = this.#setting;
    const net = links === 'one' ? 200 : 200 + n;
    const host = links === 'one' ? n + 1 : 1;
    return family === 'ipv4' ? `10.${net}.0.${host}` : `fd00:${net}::${host}`;
  }

  /** @returns Whether the peer was sent anything. A peer that nobody listens to is never asked for, so it shares nothing. */
  #send(to: number, messages: number): boolean {
    const heard = this.#heard[to];
    if (!heard) return false;
    const target = new Uint8Array(2 * MAX_OCTETS);
    for (let sent = 0; sent < messages; sent += 1) {
      const octets = this.#engine.nextUpdate(to, target, 100);
      if (octets === 0) return sent > 0;
      this.#hear(heard, target.slice(100, 100 + octets));
    }
    return true;
  }

  #hear(heard: Map<string, string>, octets: Uint8Array): void {
    const { ebgp } = this.#setting;
    const { verdict, update } = describeMessage(octets, {
      fourOctetAs: true,
      ebgp,
      families: ['ipv4', 'ipv6'],
      addPath: [],
      firstAs: 0,
      refusesAsSets: false,
      extended: false,
    });
    expect(verdict).toBe('ok');
    const { withdrawn = [], announced = [], attributes = [] } = update ?? {};
    const text = JSON.stringify(attributes, (key, value) =>
      key === 'prefixes' ? undefined : value,
    );
    for (const { prefix } of withdrawn) heard.delete(prefix);
    for (const { prefix } of announced) heard.set(prefix, text);
  }
}

const peer = fc.nat(PEERS - 1);
const range = { from: peer, at: fc.nat(5), count: fc.integer({ min: 1, max: 6 }) };
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('announce' as const), ...range, path: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('withdraw' as const), ...range }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('step' as const),
      units: fc.constantFrom(1, 8, 64),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('send' as const),
      to: peer,
      messages: fc.integer({ min: 1, max: 2 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant({ type: 'rest' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('refresh' as const, 'flap' as const), peer }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('configure' as const),
      nextHop: fc.constantFrom('self' as const, 'auto' as const),
    }),
  },
);

test('what many peers are sent is what each would be sent alone', () => {
  const setting = fc.record({
    family: fc.constantFrom<Family>('ipv4', 'ipv6'),
    ebgp: fc.boolean(),
    links: fc.constantFrom('one' as const, 'many' as const),
  });
  const everybody = Array.from({ length: PEERS }, (_, n) => n);
  fc.assert(
    fc.property(setting, fc.array(act, { maxLength: 40 }), (setting, acts) => {
      const together = new Listened(setting, everybody);
      const alone = everybody.map((n) => new Listened(setting, [n]));
      for (const each of acts) for (const engine of [together, ...alone]) engine.do(each);
      for (const engine of [together, ...alone]) engine.rest();
      for (const n of everybody) expect(together.heardBy(n)).toEqual(alone[n]?.heardBy(n));
    }),
    { numRuns: process.env.OVERLAND_SOAK ? 20_000 : 300 },
  );
});

test('a message that was packed for one peer is copied for the others, with their next hop', () => {
  const setting = { family: 'ipv4', ebgp: true, links: 'many' } as const;
  const engine = new Listened(setting, [1, 2, 3]);
  engine.do({ type: 'announce', from: 0, at: 0, count: 12, path: 0 });
  engine.rest();
  for (const to of [1, 2, 3]) {
    const heard = engine.heardBy(to);
    expect([...heard.keys()]).toHaveLength(12);
    expect([...heard.values()].every((text) => text.includes(`10.20${to}.0.254`))).toBe(true);
  }
});
