import type { Entry, Revision } from '@overland/datastore';
import { affinityKey, blockKey, encodeBlock } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { assignFree } from './assign-in-block.ts';
import { newBlock } from './block.ts';
import { decideGiveUp } from './give-up-block.ts';
import { releaseHandle } from './release-in-block.ts';

const HOST11 = { type: 'host', name: 'host11' } as const;
const cidr = parsePrefix('10.65.0.0/26');
const now = new Date('2026-11-24T06:00:00Z');

const empty = newBlock(cidr, HOST11, now);
const used = assignFree(empty, 1, { handle: 'web', attributes: {} }).block;
const cooling = releaseHandle(used, 'web', { now, seconds: 30 }).block;
const claim: Entry = {
  key: affinityKey(HOST11, cidr),
  value: '{"state":"confirmed","deleted":false}',
  revision: '7' as Revision,
};
const stored = (block: typeof empty): Entry => ({
  key: blockKey(cidr),
  value: encodeBlock(block),
  revision: '9' as Revision,
});

/** The decision as one readable line: outcome: conditions → operations. */
function decide(
  found: { affinity?: Entry; block?: Entry },
  { owner = HOST11, ifEmpty = false }: { owner?: typeof HOST11 | null; ifEmpty?: boolean } = {},
): string {
  const request = { owner: owner ?? undefined, cidr, ifEmpty };
  const findings = { affinity: undefined, block: undefined, ...found };
  const { outcome, transaction } = decideGiveUp(request, findings);
  if (!transaction) return outcome;
  const short = (key: string): string => (key === blockKey(cidr) ? 'block' : 'claim');
  const conditions = transaction.conditions.map((condition) =>
    condition.type === 'revision'
      ? `${short(condition.key)}@${condition.revision}`
      : `${short(condition.key)} ${condition.type}`,
  );
  const operations = transaction.operations.map((operation) => {
    if (operation.type === 'delete') return `delete ${short(operation.key)}`;
    return `put ${short(operation.key)} of ${JSON.parse(operation.value).affinity}`;
  });
  return `${outcome}: ${conditions.join(', ')} → ${operations.join(', ')}`;
}

test.each([
  ['nothing', {}, 'absent'],
  ['a claim without block', { affinity: claim }, 'dangling: claim@7, block absent → delete claim'],
  [
    'a claim on the block of another',
    { affinity: claim, block: stored({ ...empty, affinity: 'host:host12' }) },
    'dangling: claim@7, block@9 → delete claim',
  ],
  ['the block of another', { block: stored({ ...empty, affinity: 'host:host12' }) }, 'absent'],
  [
    'an empty block',
    { affinity: claim, block: stored(empty) },
    'deleted: block@9, claim@7 → delete block, delete claim',
  ],
  [
    'an empty block without claim',
    { block: stored(empty) },
    'deleted: block@9, claim absent → delete block',
  ],
  [
    'a block in use',
    { affinity: claim, block: stored(used) },
    'ownerless: block@9, claim@7 → put block of null, delete claim',
  ],
  [
    'a block whose addresses cool down',
    { affinity: claim, block: stored(cooling) },
    'ownerless: block@9, claim@7 → put block of null, delete claim',
  ],
])('%s', (_, found, expected) => {
  expect(decide(found)).toBe(expected);
});

test('only if it is empty: a block in use, or whose addresses cool down, stays', () => {
  for (const block of [used, cooling]) {
    expect(decide({ affinity: claim, block: stored(block) }, { ifEmpty: true })).toBe('in-use');
  }
});

test("nobody's block goes when it is empty, and stays otherwise", () => {
  const owner = null;
  const ownerless = { affinity: undefined };
  expect(decide({ block: stored({ ...empty, ...ownerless }) }, { owner })).toBe(
    'deleted: block@9 → delete block',
  );
  expect(decide({ block: stored({ ...used, ...ownerless }) }, { owner })).toBe('in-use');
  expect(decide({ block: stored(empty) }, { owner })).toBe('absent');
});

test('what is not as it was seen is left alone', () => {
  const found = { affinity: claim, block: stored(empty) };
  const findings = { affinity: found.affinity, block: found.block };
  const seen = { claim: claim.revision, block: found.block.revision };
  const request = { owner: HOST11, cidr, seen };
  expect(decideGiveUp(request, findings).outcome).toBe('deleted');
  for (const other of [{ claim: undefined }, { block: undefined }, { block: claim.revision }]) {
    const changed = { ...request, seen: { ...seen, ...other } };
    expect(decideGiveUp(changed, findings)).toEqual({ outcome: 'changed' });
  }
});

test('a block that contradicts itself is left alone', () => {
  const broken = { ...used, attributes: [] };
  expect(() => decide({ affinity: claim, block: stored(broken) })).toThrow('contradicts itself');
});
