import { describe, expect, test } from 'vitest';
import { hasExtensions, joinExtensions, splitExtensions } from './extensions.ts';

const PEER = {
  kind: 'BGPPeer',
  metadata: { name: 'p', uid: 'u' },
  spec: { asNumber: 1, passive: true },
};

test('our fields are taken out and put back', () => {
  const { base, extension } = splitExtensions('BGPPeer', PEER);
  expect(base).toEqual({ ...PEER, spec: { asNumber: 1 } });
  expect(extension).toEqual({ uid: 'u', spec: { passive: true } });
  expect(joinExtensions(base, extension)).toEqual(PEER);
});

test('fields of another object of the name stay out', () => {
  const base = { ...PEER, metadata: { name: 'p', uid: 'other' }, spec: {} };
  expect(joinExtensions(base, { uid: 'u', spec: { passive: true } })).toEqual(base);
  expect(joinExtensions(base, 'nonsense')).toEqual(base);
});

test('an object without any has no extension', () => {
  expect(splitExtensions('BGPPeer', { spec: { passive: undefined } }).extension).toBeUndefined();
  expect(hasExtensions('IPPool')).toBe(false);
  expect(hasExtensions('BGPPeer')).toBe(true);
});

describe('fields within an object that Calico has', () => {
  const metadata = { name: 'p', uid: 'u' };

  test.each([
    ['only ours', { password: { file: '/p' } }, {}, { password: { file: '/p' } }],
    [
      'only theirs',
      { password: { secretKeyRef: { name: 's', key: 'k' } } },
      { password: { secretKeyRef: { name: 's', key: 'k' } } },
      undefined,
    ],
    [
      'both, and one that nobody knows',
      { password: { value: 'x', secretKeyRef: 1, later: 2 } },
      { password: { secretKeyRef: 1, later: 2 } },
      { password: { value: 'x' } },
    ],
    ['none', { password: {} }, { password: {} }, undefined],
  ])('%s', (_name, spec, base, apart) => {
    const document = { kind: 'BGPPeer', metadata, spec };
    const parts = splitExtensions('BGPPeer', document);
    expect(parts.base).toEqual({ ...document, spec: base });
    expect(parts.extension?.spec).toEqual(apart);
    expect(joinExtensions(parts.base, parts.extension)).toEqual(document);
  });

  test('what a newer version has stored apart stays apart', () => {
    const document = { metadata, spec: { password: { vault: 1 }, fromTheFuture: 2, other: 3 } };
    const stored = { password: { vault: 0 }, fromTheFuture: 0 };
    expect(splitExtensions('BGPPeer', document, stored)).toEqual({
      base: { metadata, spec: { other: 3 } },
      extension: { uid: 'u', spec: { password: { vault: 1 }, fromTheFuture: 2 } },
    });
  });
});
