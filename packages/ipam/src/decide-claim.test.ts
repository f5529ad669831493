import type { Entry, Revision } from '@overland/datastore';
import { decodeAffinity, decodeBlock, encodeBlock } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { newBlock } from './block.ts';
import { decideClaim } from './decide-claim.ts';

const cidr = parsePrefix('10.65.0.0/26');
const HOST11 = { type: 'host', name: 'host11' } as const;
const now = new Date('2026-11-24T06:00:00Z');
const CLAIMING = { owner: HOST11, cidr, claimedAt: now };
const AFFINITY_KEY = '/calico/ipam/v2/host/host11/ipv4/block/10.65.0.0-26';
const BLOCK_KEY = '/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-26';

function entry(key: string, value: string, revision: string): Entry {
  return { key, value, revision: revision as Revision };
}

const affinity = (state: string): Entry =>
  entry(AFFINITY_KEY, state && `{"state":"${state}","deleted":false}`, '7');
const block = (owner: string | undefined): Entry =>
  entry(BLOCK_KEY, encodeBlock({ ...newBlock(cidr, HOST11, now), affinity: owner }), '9');

/** The decision as one readable line: conditions → operations. */
function decide(found: { affinity?: Entry; block?: Entry }): string {
  const decision = decideClaim(CLAIMING, { affinity: undefined, block: undefined, ...found });
  if (decision.type === 'held' || !decision.transaction) return decision.type;
  const short = (key: string): string => (key === BLOCK_KEY ? 'block' : 'affinity');
  const conditions = decision.transaction.conditions.map((condition) =>
    condition.type === 'revision'
      ? `${short(condition.key)}@${condition.revision}`
      : `${short(condition.key)} ${condition.type}`,
  );
  const operations = decision.transaction.operations.map((operation) => {
    if (operation.type === 'delete') return `delete ${short(operation.key)}`;
    return operation.key === BLOCK_KEY
      ? `put block ${decodeBlock(operation.value).affinity}`
      : `put affinity ${decodeAffinity(operation.value).state}`;
  });
  return `${decision.type}: ${conditions.join(', ')} → ${operations.join(', ')}`;
}

const CLAIM = 'put block host:host11, put affinity confirmed';

// The table of claim situations: nothing, affinity or block, in every state.
test.each([
  ['nothing', {}, `claim: block absent, affinity absent → ${CLAIM}`],
  [
    'a crashed claim without block',
    { affinity: affinity('pending') },
    `claim: block absent, affinity@7 → ${CLAIM}`,
  ],
  [
    'a crashed release without block',
    { affinity: affinity('pendingDeletion') },
    `claim: block absent, affinity@7 → ${CLAIM}`,
  ],
  [
    'a confirmed claim whose block is missing',
    { affinity: affinity('confirmed') },
    `claim: block absent, affinity@7 → ${CLAIM}`,
  ],
  [
    'our block, confirmed',
    { affinity: affinity('confirmed'), block: block('host:host11') },
    'held',
  ],
  [
    'our block, confirmed the old way',
    { affinity: affinity(''), block: block('host:host11') },
    'held',
  ],
  [
    'our block, not confirmed',
    { affinity: affinity('pending'), block: block('host:host11') },
    `claim: block@9, affinity@7 → ${CLAIM}`,
  ],
  [
    'our block, being released',
    { affinity: affinity('pendingDeletion'), block: block('host:host11') },
    `claim: block@9, affinity@7 → ${CLAIM}`,
  ],
  [
    'our block without affinity',
    { block: block('host:host11') },
    `claim: block@9, affinity absent → ${CLAIM}`,
  ],
  ["another's block", { block: block('host:host12') }, 'taken'],
  [
    "another's block, and our lost claim",
    { affinity: affinity('pending'), block: block('host:host12') },
    'taken: affinity@7 → delete affinity',
  ],
  [
    "another's block, and our stale claim",
    { affinity: affinity('confirmed'), block: block('host:host12') },
    'taken: affinity@7 → delete affinity',
  ],
  [
    "nobody's block, with the addresses in use in it",
    { block: block(undefined) },
    `claim: block@9, affinity absent → ${CLAIM}`,
  ],
])('%s', (_, found, expected) => {
  expect(decide(found)).toBe(expected);
});

test('confirming rewrites the block, so that a releaser that read it before loses', () => {
  const found = { affinity: affinity('pending'), block: block('host:host11') };
  const decision = decideClaim(CLAIMING, found);
  expect(decision.type === 'claim' && decision.block.sequenceNumber).toBe(1795500000000000001n);
});

test('an affinity with an unknown state is not touched', () => {
  expect(() => decide({ affinity: affinity('fromTheFuture') })).toThrow('unknown state');
});
