import { describe, expect, test } from 'vitest';
import type { BgpPeer } from './kinds/bgp-peer.ts';
import { parseManifest } from './manifest.ts';
import { HIDDEN, hideSecrets, keepSecrets, markFaults, secretPaths } from './secrets.ts';

const SECRET = 'correct horse';

function peer(password?: unknown): BgpPeer {
  return parseManifest({
    apiVersion: 'projectcalico.org/v3',
    kind: 'BGPPeer',
    metadata: { name: 'x' },
    spec: { peerIP: '10.0.0.1', asNumber: 1, password },
  }) as BgpPeer;
}

const passwordOf = ({ spec }: BgpPeer) => spec.password;

test('what is shown has a mark in the place of the secret', () => {
  const shown = hideSecrets('BGPPeer', peer({ value: SECRET }));
  expect(passwordOf(shown)).toEqual({ value: HIDDEN });
  expect(hideSecrets('BGPPeer', peer())).toEqual(peer());
  expect(secretPaths(peer({ value: SECRET }))).toEqual(['spec.password.value']);
  expect(secretPaths(peer({ file: '/p' }))).toEqual([]);
});

describe('what is written over a secret', () => {
  test.each([
    ['nothing keeps it', undefined, { value: SECRET }],
    ['an empty password keeps it', {}, { value: SECRET }],
    ['the mark keeps it', { value: HIDDEN }, { value: SECRET }],
    ['another one replaces it', { value: 'new' }, { value: 'new' }],
    ['another source replaces it', { file: '/p' }, { file: '/p' }],
    ['an empty one removes it', { value: '' }, undefined],
  ])('%s', (_name, given, wanted) => {
    expect(passwordOf(keepSecrets(peer(given), peer({ value: SECRET })))).toEqual(wanted);
  });

  test('a mark without a secret to keep is a fault', () => {
    expect(markFaults(keepSecrets(peer({ value: HIDDEN }), peer()))).toMatchObject([
      { path: 'spec.password.value' },
    ]);
    expect(markFaults(peer({ value: SECRET }))).toEqual([]);
  });
});

test('no fault shows a secret', () => {
  const long = SECRET.repeat(10);
  for (const password of [{ value: long }, { value: SECRET, file: '/p' }, { value: [SECRET] }]) {
    expect(() => peer(password)).toThrow(/^((?!correct horse).)*$/s);
  }
  expect(() => peer({ value: 'ä'.repeat(41) })).toThrow('must have at most 80 octets');
});
