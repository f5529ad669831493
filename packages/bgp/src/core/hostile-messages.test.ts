import type { Family } from '@overland/net';
import { expect, test, vi } from 'vitest';
import { HostilePeer } from '../../test/hostile-peer.ts';
import { CORPUS, IDENTIFIED_CORPUS } from '../../test/message-corpus.ts';
import { Chance, mutated } from '../../test/mutations.ts';
import { describeMessage } from './wire/describe-message.ts';
import { HEADER_OCTETS } from './wire/header.ts';
import { decodeMessage } from './wire/message.ts';
import { UpdateDecoder } from './wire/update.ts';

const soak = process.env.OVERLAND_SOAK === '1';
/** Always the same ones, unless there is time for others. */
const [MESSAGES, SEED] = soak ? [10_000_000, Date.now()] : [50_000, 20261127];
/** Through a session that has everything: each costs more. */
const RICH_MESSAGES = MESSAGES / 20;
vi.setConfig({ testTimeout: soak ? 7_200_000 : 120_000 }); // all computing: how long depends on the machine alone

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const CONTEXTS = [true, false].flatMap((fourOctetAs) =>
  [true, false].flatMap((ebgp) =>
    [FAMILIES, []].map((addPath) => ({
      ...{ fourOctetAs, ebgp, addPath, families: FAMILIES },
      ...{ extended: ebgp, refusesAsSets: ebgp, firstAs: ebgp ? 65011 : 0 },
    })),
  ),
);

/** Messages of a corpus, mutated. */
function* hostileMessages(
  chance: Chance,
  count = MESSAGES,
  corpus = CORPUS,
): Generator<Uint8Array> {
  for (let i = 0; i < count; i += 1) {
    yield mutated(chance.of(corpus), chance.of(CORPUS), chance);
  }
}

test(`the decoders take each of ${MESSAGES} mutated messages, seed ${SEED}`, () => {
  const chance = new Chance(SEED);
  const decoder = new UpdateDecoder();
  let read = 0;
  for (const message of hostileMessages(chance)) {
    const type = message[HEADER_OCTETS - 1] ?? 0;
    const body = message.subarray(HEADER_OCTETS);
    if (decodeMessage(type, body).type === 'fault') continue;
    // Whatever its type is: as an UPDATE it is noise then.
    if (decoder.decode(body, chance.of(CONTEXTS))) continue;
    read += 1;
  }
  expect(read).toBeGreaterThan(MESSAGES / 4);
});

test('and there are words for what they say', () => {
  const chance = new Chance(SEED + 2);
  const verdicts = new Map<string, number>();
  for (const message of hostileMessages(chance, MESSAGES / 20)) {
    const { verdict, reason, notification, type } = describeMessage(message, chance.of(CONTEXTS));
    verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    if (verdict === 'ok') continue;
    if (!reason) expect.fail(`no reason for ${verdict}`);
    if (verdict === 'session-reset' && !notification && type !== 'unreadable') {
      expect.fail(`no NOTIFICATION for ${reason}`);
    }
  }
  // Mutations that only ever break the header, or never anything, would prove nothing.
  for (const verdict of ['ok', 'treat-as-withdraw', 'attribute-discard', 'session-reset']) {
    expect(verdicts.get(verdict) ?? 0).toBeGreaterThan(MESSAGES / 10_000);
  }
});

test(`${MESSAGES} mutated messages through an established session, seed ${SEED}`, () => {
  const chance = new Chance(SEED + 1);
  const peer = new HostilePeer(chance);
  let count = 0;
  for (const message of hostileMessages(chance)) {
    peer.send(message);
    count += 1;
    if (count % 500 === 0) peer.check();
  }
  peer.check();
  expect(peer.ends).toBeGreaterThan(MESSAGES / 10);
  expect(peer.survived).toBeGreaterThan(MESSAGES / 3);
});

test(`${RICH_MESSAGES} through one with path identifiers, long messages, long-lived routes and an aggregate, seed ${SEED}`, () => {
  const chance = new Chance(SEED + 3);
  const peer = new HostilePeer(chance, undefined, 'everything');
  let count = 0;
  for (const message of hostileMessages(chance, RICH_MESSAGES, IDENTIFIED_CORPUS)) {
    peer.send(message);
    count += 1;
    if (count % 500 === 0) peer.check();
  }
  peer.check();
  expect(peer.ends).toBeGreaterThan(RICH_MESSAGES / 10);
  expect(peer.survived).toBeGreaterThan(RICH_MESSAGES / 4);
});
