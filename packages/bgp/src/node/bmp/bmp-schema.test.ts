import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from '../speaker-file.ts';

const BASE = { asn: 65000, routerId: '10.0.0.1' };

test('a station is told what peers sent, and statistics each minute, unless the file says otherwise', () => {
  const stations = [{ address: '10.0.9.3' }, { address: 'fd00::3', port: 1790, ribs: ['loc-rib'] }];
  expect(parseSpeakerFile(JSON.stringify({ ...BASE, bmp: stations })).bmp).toEqual([
    { address: '10.0.9.3', port: 11_019, ribs: ['pre-policy'], statisticsSeconds: 60 },
    { address: 'fd00::3', port: 1790, ribs: ['loc-rib'], statisticsSeconds: 60 },
  ]);
});

test.each([
  [{ ribs: [] }, /^bmp\[0\]\.ribs: /],
  [{ ribs: ['loc-rib', 'loc-rib'] }, /^bmp\[0\]\.ribs: must name each RIB once/],
  [{ ribs: ['adj-rib-out'] }, /^bmp\[0\]\.ribs\[0\]: .*"pre-policy"\|"post-policy"\|"loc-rib"/],
  [{ port: 0 }, /^bmp\[0\]\.port: 0 is not allowed: a whole number from 1 to 65535/],
  [{ mirror: true }, /^bmp\[0\]\.mirror: unknown field/],
])('%j is refused with its path', (change, fault) => {
  const file = JSON.stringify({ ...BASE, bmp: [{ address: '10.0.9.3', ...change }] });
  expect(() => parseSpeakerFile(file)).toThrow(SpeakerFileError);
  expect(() => parseSpeakerFile(file)).toThrow(fault);
});

test('a station twice', () => {
  const bmp = [{ address: '10.0.9.3' }, { address: '10.0.9.3', ribs: ['loc-rib'] }];
  expect(() => parseSpeakerFile(JSON.stringify({ ...BASE, bmp }))).toThrow(
    'bmp[1]: it is the same as bmp[0]',
  );
});
