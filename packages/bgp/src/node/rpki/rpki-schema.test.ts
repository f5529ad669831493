import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from '../speaker-file.ts';

const BASE = { asn: 65000, routerId: '10.0.0.1' };

function faultsOf(file: object): readonly string[] {
  try {
    parseSpeakerFile(JSON.stringify({ ...BASE, ...file }));
    return [];
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    return error.faults;
  }
}

test('caches with a default port, and intervals that are left to them', () => {
  const caches = [{ address: '10.0.9.1' }, { address: 'fd00::9', port: 8282 }];
  const { rpki } = parseSpeakerFile(JSON.stringify({ ...BASE, rpki: { caches, retrySeconds: 9 } }));
  expect(rpki).toEqual({
    caches: [
      { address: '10.0.9.1', port: 323 },
      { address: 'fd00::9', port: 8282 },
    ],
    retrySeconds: 9,
  });
});

test('what cannot be is told with its path', () => {
  const twice = [{ address: '10.0.9.1' }, { address: '10.0.9.1', port: 323 }];
  expect(faultsOf({ rpki: { caches: twice } })).toEqual([
    'rpki.caches[1]: it is the same as caches[0]',
  ]);
  expect(faultsOf({ rpki: { caches: [], expireSeconds: 60 } })).toEqual([
    expect.stringMatching(/^rpki\.caches: /),
    'rpki.expireSeconds: 60 is not allowed: a whole number from 600 to 172800',
  ]);
  const rules = [{ match: { rpki: 'invalid' }, action: 'reject' }];
  expect(faultsOf({ filters: [{ name: 'origins', rules }] })).toEqual([
    'filters[0].rules[0].match.rpki: there is no cache: rpki.caches is missing',
  ]);
  const wrong = [{ match: { rpki: 'unknown' }, action: 'reject' }];
  expect(faultsOf({ filters: [{ name: 'origins', rules: wrong }] })).toEqual([
    expect.stringMatching(
      /^filters\[0\]\.rules\[0\]\.match\.rpki: .*"valid"\|"invalid"\|"not-found"/,
    ),
  ]);
});
