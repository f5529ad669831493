import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { attribute, type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { PeerConfig } from '../config.ts';

const FEEDER = 1;
/** AS_SEQUENCE 65001, AS_SET { 65002, 65003 }. */
const WITH_SET = [2, 1, 0, 0, 0xfd, 0xe9, 1, 2, 0, 0, 0xfd, 0xea, 0, 0, 0xfd, 0xeb];

/** A speaker of AS 65000 with one peer. */
function learner(change: Partial<PeerConfig>, asn = 65001, fourOctetAs = true) {
  const speaker = new Speaker(speakerConfig(65000));
  const { engine } = speaker;
  engine.setInterfaces([link('eth1', ['10.1.0.254/24'])]);
  engine.endDeferral();
  const local = { asn: 65000, address: '10.1.0.254' };
  engine.peerUp(sessionWith(FEEDER, peerConfig('10.1.0.1', asn, change), local, { fourOctetAs }));
  const learn = (update: UpdateText) => {
    const body = updateOctets({ announce: ['10.2.0.0/26'], ...update });
    expect(engine.receiveUpdate(FEEDER, body)).toBeUndefined();
    return engine.received(FEEDER, 'ipv4');
  };
  return { engine, learn, refused: () => engine.counters(FEEDER).refused };
}

/** An UPDATE with an AS_PATH as octets. */
function announcement(path: readonly number[], extra: readonly number[] = []): Uint8Array {
  const attributes = [
    ...attribute(0x40, 1, [0]),
    ...attribute(0x40, 2, path),
    ...attribute(0x40, 3, [10, 1, 0, 1]),
    ...extra,
  ];
  return Uint8Array.of(0, 0, 0, attributes.length, ...attributes, 26, 10, 2, 0, 0);
}

test('a path that does not begin with the peer withdraws the route, where that is enforced', () => {
  const { learn, refused } = learner({ enforceFirstAs: true });
  expect(learn({ asPath: [65001, 65002] })).toBe(1);
  expect(learn({ asPath: [65002, 65001] })).toBe(0);
  expect(learn({ asPath: [] })).toBe(0);
  expect(refused()).toEqual({ 'first-as': 2 });

  expect(learner({}).learn({ asPath: [65002] })).toBe(1);
  expect(learner({ enforceFirstAs: true }, 65000).learn({ asPath: [65002] })).toBe(1);
});

test('a peer of the two-octet kind with a longer AS number begins with AS_TRANS', () => {
  const { learn } = learner({ enforceFirstAs: true }, 4_200_000_001, false);
  expect(learn({ asPath: [23456], asOctets: 2 })).toBe(1);
  expect(learn({ asPath: [65001], asOctets: 2 })).toBe(0);
});

test('the knob counts from the next UPDATE', () => {
  const { engine, learn } = learner({});
  expect(learn({ asPath: [65002] })).toBe(1);
  const peers = [peerConfig('10.1.0.1', 65001, { enforceFirstAs: true })];
  engine.configure({ ...speakerConfig(65000), peers });
  expect(engine.received(FEEDER, 'ipv4')).toBe(1);
  expect(learn({ asPath: [65002] })).toBe(0);
});

test('an AS_SET withdraws the route unless it is allowed: RFC 9774', () => {
  for (const asn of [65000, 65001]) {
    const { engine, learn, refused } = learner({}, asn);
    expect(learn({ asPath: [65001] })).toBe(1);
    expect(engine.receiveUpdate(FEEDER, announcement(WITH_SET))).toBeUndefined();
    expect(engine.received(FEEDER, 'ipv4')).toBe(0);
    expect(refused()).toEqual({ 'as-set': 1 });
  }
  const { engine } = learner({ allowAsSets: true });
  engine.receiveUpdate(FEEDER, announcement(WITH_SET));
  expect(engine.received(FEEDER, 'ipv4')).toBe(1);
});

test('one in AS4_PATH counts where AS4_PATH does', () => {
  const as4Path = attribute(0xc0, 17, WITH_SET);
  const narrow = learner({}, 65001, false);
  narrow.engine.receiveUpdate(FEEDER, announcement([2, 1, 0xfd, 0xe9], as4Path));
  expect(narrow.refused()).toEqual({ 'as-set': 1 });
  const wide = learner({});
  wide.engine.receiveUpdate(FEEDER, announcement([2, 1, 0, 0, 0xfd, 0xe9], as4Path));
  expect(wide.refused()).toEqual({});
});

test('AS number 0 withdraws the route, from eBGP and iBGP: RFC 7607', () => {
  for (const asn of [65000, 65001]) {
    const { learn, refused } = learner({ allowAsSets: true }, asn);
    expect(learn({ asPath: [65001] })).toBe(1);
    expect(learn({ asPath: [65001, 0, 65002] })).toBe(0);
    expect(refused()).toEqual({ 'treat-as-withdraw': 1 });
  }
});
