import { type Prefix, parseAsn, parsePrefix, prefixBytes } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { link, peerConfig, sessionWith, speakerConfig } from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { PeerConfig, RouteFilter } from '../index.ts';
import { emptyVrpTables, type Vrp, type VrpTables } from '../rpki/vrp-table.ts';
import { UpdateDecoder } from '../wire/update.ts';
import { createRouteEngine } from './engine.ts';

const FEEDER = 0;
const RECEIVER = 1;
const LOCAL = { asn: 65000, address: '10.0.0.9' };

/** Invalid routes are refused, valid ones preferred. */
const VALIDATE: RouteFilter = {
  name: 'validate',
  rules: [
    { name: 'invalid', match: { rpki: 'invalid' }, action: 'reject' },
    { match: { rpki: 'valid' }, action: 'accept', set: { localPref: 200 } },
  ],
};

function vrp(text: string, maxLengthBits: number, asn: number): Vrp {
  const { family, octets, length } = prefixBytes(parsePrefix(text));
  const view = new DataView(octets.buffer, octets.byteOffset);
  const words = Int32Array.from({ length: octets.length / 4 }, (_, i) => view.getInt32(4 * i));
  return { family, words, lengthBits: length, maxLengthBits, asn };
}

function tablesOf(...vrps: readonly Vrp[]): VrpTables {
  const tables = emptyVrpTables();
  for (const one of vrps) tables[one.family].add(one);
  return tables;
}

/** A speaker between a feeder (65001) and a receiver, one of which is validated. */
class Validated {
  readonly engine;
  /** What the receiver has. */
  readonly sent = new Set<string>();
  updates = 0;
  readonly #decoder = new UpdateDecoder();

  constructor(feeder: Partial<PeerConfig>, receiver: Partial<PeerConfig> = {}) {
    const peers = [
      peerConfig('10.0.0.1', 65001, feeder),
      peerConfig('10.0.0.2', 65002, receiver),
    ] as const;
    this.engine = createRouteEngine(speakerConfig(65000, { filters: [VALIDATE], peers }));
    this.engine.setInterfaces([link('eth0', ['10.0.0.9/24', 'fd00::9/64'])]);
    this.engine.endDeferral();
    for (const [id, config] of peers.entries()) this.engine.peerUp(sessionWith(id, config, LOCAL));
  }

  learn(announce: readonly string[], origin: number): void {
    const isIpv6 = announce.some((prefix) => prefix.includes(':'));
    const asPath = origin === 65001 ? [65001] : [65001, origin];
    const nextHop = isIpv6 ? 'fd00::1' : '10.0.0.1';
    const fault = this.engine.receiveUpdate(FEEDER, updateOctets({ announce, nextHop, asPath }));
    expect(fault).toBeUndefined();
    this.settle();
  }

  vrps(tables: VrpTables, changed: readonly string[] | 'all' = 'all'): void {
    this.engine.vrpsChanged(tables, changed === 'all' ? changed : changed.map(parsePrefix));
    this.settle();
  }

  settle(): void {
    const target = new Uint8Array(4096);
    let more = true;
    while (more) {
      more = this.engine.step(3);
      for (;;) {
        const octets = this.engine.nextUpdate(RECEIVER, target, 0);
        if (octets === 0) break;
        this.#take(target.slice(19, octets));
      }
    }
    expect(this.engine.hasUpdate(RECEIVER)).toBe(false);
  }

  /** `10.1.0.0/16 200`, or what refuses it. */
  states(): string[] {
    const families = ['ipv4', 'ipv6'] as const;
    return families
      .flatMap((family) => this.engine.routes({ family, limit: 1000 }).routes)
      .flatMap(({ prefix, paths }) =>
        paths.map(({ refused, localPref }) => `${prefix} ${refused ?? localPref ?? '-'}`),
      );
  }

  #take(body: Uint8Array): void {
    this.updates += 1;
    expect(
      this.#decoder.decode(body, { fourOctetAs: true, ebgp: true, families: ['ipv4', 'ipv6'] }),
    ).toBeUndefined();
    for (const { family, from, to } of this.#decoder.withdrawn) {
      if (family === 'ipv6') continue;
      for (const text of prefixesOf(body, from, to)) this.sent.delete(text);
    }
    for (const { family, from, to } of this.#decoder.announced) {
      if (family === 'ipv6') continue;
      for (const text of prefixesOf(body, from, to)) this.sent.add(text);
    }
  }
}

/** IPv4 alone, all of whole octets. */
function prefixesOf(body: Uint8Array, from: number, to: number): string[] {
  const found: string[] = [];
  for (let at = from; at < to; ) {
    const length = body[at] ?? 0;
    const octets = [...body.subarray(at + 1, at + 1 + length / 8), 0, 0, 0].slice(0, 4);
    found.push(`${octets.join('.')}/${length}`);
    at += 1 + length / 8;
  }
  return found;
}

const IMPORT = { importFilters: ['validate'] };

test('routes follow VRPs as they come, change and go, without a word from the peer', () => {
  const speaker = new Validated(IMPORT);
  speaker.learn(['10.1.0.0/16', '10.2.0.0/16'], 65001);
  speaker.learn(['fd00:1::/32'], 65005);
  expect(speaker.states()).toEqual(['10.1.0.0/16 -', '10.2.0.0/16 -', 'fd00:1::/32 -']);

  const first = vrp('10.1.0.0/16', 16, 65001);
  const tables = tablesOf(first, vrp('10.2.0.0/16', 24, 65009), vrp('fd00::/16', 32, 65005));
  speaker.vrps(tables);
  expect(speaker.states()).toEqual([
    '10.1.0.0/16 200',
    '10.2.0.0/16 filter validate/invalid',
    'fd00:1::/32 200',
  ]);
  expect(speaker.sent).toEqual(new Set(['10.1.0.0/16']));
  expect(speaker.engine.counters(FEEDER).filtered.ipv4).toBe(1);

  tables.ipv4.remove(first);
  tables.ipv4.add(vrp('10.0.0.0/8', 8, 65009));
  speaker.vrps(tables, ['10.1.0.0/16', '10.0.0.0/8']);
  expect(speaker.states()[0]).toBe('10.1.0.0/16 filter validate/invalid');
  expect(speaker.sent).toEqual(new Set());

  speaker.vrps(emptyVrpTables());
  expect(speaker.states()).toEqual(['10.1.0.0/16 -', '10.2.0.0/16 -', 'fd00:1::/32 -']);
  expect(speaker.sent).toEqual(new Set(['10.1.0.0/16', '10.2.0.0/16']));
});

test('an explanation names the rule that the origin decides about, and no other', () => {
  const speaker = new Validated(IMPORT);
  speaker.learn(['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'], 65001);
  speaker.vrps(tablesOf(vrp('10.1.0.0/16', 16, 65001), vrp('10.2.0.0/16', 24, 65009)));
  const rules = ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16'].map((text) => {
    const prefix = { prefix: parsePrefix(text), match: 'exact' } as const;
    const { imported } = speaker.engine.explain({ prefix }).paths[0] ?? {};
    expect(imported?.isPending).toBe(false);
    return imported?.rules.map(({ rule }) => rule).join();
  });
  expect(rules).toEqual(['validate[1]', 'validate/invalid', '']);
});

test('new routes are judged by what is known', () => {
  const speaker = new Validated(IMPORT);
  speaker.vrps(tablesOf(vrp('10.0.0.0/8', 16, 65001)));
  speaker.learn(['10.1.0.0/16', '10.1.2.0/24', '11.0.0.0/8'], 65001);
  speaker.learn(['10.3.0.0/16'], 65003);
  expect(speaker.states()).toEqual([
    '10.1.0.0/16 200',
    '10.1.2.0/24 filter validate/invalid',
    '10.3.0.0/16 filter validate/invalid',
    '11.0.0.0/8 -',
  ]);
});

test('only what a changed VRP covers is looked at', () => {
  const speaker = new Validated(IMPORT);
  speaker.learn(['10.1.0.0/16', '10.2.0.0/16'], 65001);
  // Both are invalid now, but only one is said to have changed.
  speaker.vrps(tablesOf(vrp('10.0.0.0/8', 8, 65009)), ['10.2.0.0/16']);
  expect(speaker.states()).toEqual(['10.1.0.0/16 -', '10.2.0.0/16 filter validate/invalid']);
});

test('export filters follow, too, and our own routes have our own origin', () => {
  const speaker = new Validated({}, { exportFilters: ['validate'] });
  speaker.learn(['10.1.0.0/16', '10.2.0.0/16'], 65001);
  expect(speaker.sent.size).toBe(2);
  const invalid = vrp('10.2.0.0/16', 16, 65009);
  const tables = tablesOf(invalid, vrp('10.1.0.0/16', 16, 65001));
  speaker.vrps(tables);
  expect(speaker.sent).toEqual(new Set(['10.1.0.0/16']));
  tables.ipv4.remove(invalid);
  speaker.vrps(tables, ['10.2.0.0/16']);
  expect(speaker.sent).toEqual(new Set(['10.1.0.0/16', '10.2.0.0/16']));
});

test('nobody who asks for no origins notices', () => {
  const speaker = new Validated({});
  speaker.learn(['10.1.0.0/16'], 65001);
  const { updates } = speaker;
  speaker.vrps(tablesOf(vrp('10.0.0.0/8', 8, 65009)));
  expect(speaker.updates).toBe(updates);
  expect(speaker.engine.step(1)).toBe(false);
});

test('whatever comes in which order, routes are as if the VRPs had been there before', () => {
  const prefix = fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '10.1.1.0/24', '10.2.0.0/16');
  const origin = fc.constantFrom(65001, 65002, 65003);
  const step = fc.oneof(
    fc.record({ learn: prefix, origin }),
    fc.record({ toggle: prefix, longer: fc.constantFrom(0, 8), origin }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25, size: 'max' }), (steps) => {
      const speaker = new Validated(IMPORT);
      const tables = emptyVrpTables();
      const vrps = new Map<string, Vrp>();
      const routes = new Map<Prefix, number>();
      speaker.vrps(tables);
      for (const each of steps) {
        if ('learn' in each) {
          routes.set(parsePrefix(each.learn), each.origin);
          speaker.learn([each.learn], each.origin);
          continue;
        }
        const { length } = prefixBytes(parsePrefix(each.toggle));
        const one = vrp(each.toggle, length + each.longer, parseAsn(each.origin));
        const key = JSON.stringify(each);
        if (vrps.delete(key)) tables.ipv4.remove(one);
        else {
          vrps.set(key, one);
          tables.ipv4.add(one);
        }
        speaker.vrps(tables, [each.toggle]);
      }
      const fresh = new Validated(IMPORT);
      fresh.vrps(tablesOf(...vrps.values()));
      for (const [text, asn] of routes) fresh.learn([text], asn);
      expect(speaker.states()).toEqual(fresh.states());
      expect(speaker.sent).toEqual(fresh.sent);
    }),
    { numRuns: 60 },
  );
});
