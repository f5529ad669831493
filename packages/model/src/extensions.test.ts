import { expect, test } from 'vitest';
import { extensionFields, joinExtensions, splitExtensions } from './extensions.ts';

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
  expect(extensionFields('IPPool').size).toBe(0);
  expect([...extensionFields('BGPPeer')]).toEqual(['holdTime', 'connectRetry', 'passive']);
});
