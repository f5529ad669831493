import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinExtensions, splitExtensions } from './extensions.ts';

const metadata = { name: 'f', uid: 'u' };
const CALICO = { cidr: '10.0.0.0/8', matchOperator: 'In', action: 'Accept' };
const LAST = { action: 'Reject' };
/** Ours: by a field of the rule, of an object in it, of an operation in it. */
const BY_MED = { med: 5, action: 'Reject' };
const BY_SET = { communities: { anyOf: ['1:2'] }, action: 'Accept' };
const SETTING = {
  action: 'Accept',
  operations: [{ addCommunity: { value: '1:2' } }, { removeMED: {} }],
};

function split(spec: object, stored?: object) {
  const { base, extension } = splitExtensions('BGPFilter', { metadata, spec }, stored);
  return { base: (base as { spec: unknown }).spec, apart: extension?.spec };
}

/** The spec that readers see. */
function join(base: unknown, apart: unknown): unknown {
  const document = { metadata, spec: base };
  const joined = joinExtensions(document, apart && { uid: 'u', spec: apart });
  return (joined as { spec: unknown }).spec;
}

test('a rule with a field of ours is stored apart as a whole: Calico would see one that holds for more', () => {
  const importV4 = [CALICO, BY_MED, BY_SET, SETTING, LAST];
  const { base, apart } = split({ importV4, exportV4: [LAST] });
  expect(base).toEqual({ importV4: [CALICO, LAST], exportV4: [LAST] });
  expect(apart).toEqual({ importV4: { list: importV4, ours: [1, 2, 3] } });
  expect(join(base, apart)).toEqual({ importV4, exportV4: [LAST] });
});

test('a list that holds nothing else does not exist for Calico', () => {
  const { base, apart } = split({ importV6: [BY_MED] });
  expect(base).toEqual({});
  expect(join(base, apart)).toEqual({ importV6: [BY_MED] });
  expect(split({ importV6: [] })).toEqual({ base: { importV6: [] }, apart: undefined });
});

describe('after Calico has rewritten its part', () => {
  const { apart } = split({ importV4: [CALICO, BY_MED, LAST, BY_SET] });
  const more = { cidr: '10.9.0.0/16', matchOperator: 'In', action: 'Reject' };

  test.each([
    ['nothing is changed', [CALICO, LAST], [CALICO, BY_MED, LAST, BY_SET]],
    ['one is added in front', [more, CALICO, LAST], [more, CALICO, BY_MED, LAST, BY_SET]],
    ['one is added between', [CALICO, more, LAST], [CALICO, BY_MED, more, LAST, BY_SET]],
    ['one is added at the end', [CALICO, LAST, more], [CALICO, BY_MED, LAST, BY_SET, more]],
    ['the one before is gone', [LAST], [BY_MED, LAST, BY_SET]],
    ['one is another', [more, LAST], [BY_MED, more, LAST, BY_SET]],
    ['the order is another', [LAST, CALICO], [LAST, CALICO, BY_MED, BY_SET]],
    ['all are gone', [], [BY_MED, BY_SET]],
  ])('%s', (_, importV4, expected) => {
    expect(join({ importV4 }, apart)).toEqual({ importV4: expected });
  });

  test('the list is gone', () => {
    expect(join({}, apart)).toEqual({ importV4: [BY_MED, BY_SET] });
  });

  test('of what is stored under another uid nothing is seen', () => {
    const document = { metadata: { name: 'f', uid: 'v' }, spec: { importV4: [CALICO] } };
    expect(joinExtensions(document, { uid: 'u', spec: apart })).toEqual(document);
  });
});

test('a rule with a field of a later version stays apart; one with a field that Calico has added does not', () => {
  const later = { rpki: 'Invalid', action: 'Reject' };
  const theirs = { newInCalico: 1, action: 'Accept' };
  const stored = { importV4: { list: [theirs, later], ours: [1] } };
  const { base, apart } = split(
    { importV4: [theirs, { ...later, peerType: 'eBGP' }, LAST] },
    stored,
  );
  expect(base).toEqual({ importV4: [theirs, LAST] });
  expect(apart).toMatchObject({ importV4: { ours: [1] } });
});

test('whatever Calico does, no rule of ours is lost or changed, and all of its own are there in its order', () => {
  const rule = fc.constantFrom<object>(CALICO, LAST, BY_MED, BY_SET, SETTING, {
    ...CALICO,
    med: 1,
  });
  const plain = fc.array(fc.constantFrom<object>(CALICO, LAST, { ...LAST, peerType: 'iBGP' }));
  fc.assert(
    fc.property(fc.array(rule), plain, (importV4, rewritten) => {
      const { base, apart } = split({ importV4 });
      expect(join(base, apart)).toEqual({ importV4 });
      const { importV4: joined } = join({ importV4: rewritten }, apart) as { importV4: object[] };
      const isOurs = (item: object): boolean =>
        ![CALICO, LAST].includes(item as never) && importV4.includes(item);
      expect(joined.filter(isOurs)).toEqual(importV4.filter(isOurs));
      expect(joined.filter((item) => !isOurs(item))).toEqual(rewritten);
    }),
  );
});
