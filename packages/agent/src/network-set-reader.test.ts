import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NetworkSetReader } from './network-set-reader.ts';
import { decodeResource } from './stored-resources.ts';

const KEY = '/calico/resources/v3/projectcalico.org/globalnetworksets/blocked';

const stored = (nets: unknown, label = 'a'): string =>
  JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkSet',
    metadata: { name: 'blocked', labels: { label }, future: 1 },
    spec: { nets, unknown: [null] },
  });

test('whatever was read before, a network set is what decoding all of it says', () => {
  const net = fc.constantFrom<unknown>(
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    '10.1.2.3/16',
    'FD00::/64',
    'x',
    7,
    null,
  );
  const text = fc.oneof(
    {
      weight: 20,
      arbitrary: fc
        .tuple(fc.array(net), fc.constantFrom('a', 'b'))
        .map(([nets, label]) => stored(nets, label)),
    },
    fc.constantFrom(
      '',
      '{',
      '[]',
      '{"spec":{"nets":7}}',
      stored(undefined),
      stored(null),
      stored('10.0.0.0/8'),
    ),
  );
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), (texts) => {
      const reader = new NetworkSetReader();
      for (const each of texts) {
        const read = reader.read('GlobalNetworkSet', KEY, each);
        expect(read).toEqual(decodeResource('GlobalNetworkSet', each));
      }
    }),
  );
});

test('nets that were there before are not made anew', () => {
  const reader = new NetworkSetReader();
  const nets = Array.from({ length: 100 }, (_, i) => `10.0.${i}.0/24`);
  const read = (value: string) => {
    const decoded = reader.read('GlobalNetworkSet', KEY, value);
    if (decoded.type !== 'resource' || decoded.resource.kind !== 'GlobalNetworkSet') throw decoded;
    return decoded.resource.spec.nets;
  };
  read(stored(nets));
  expect(read(stored([...nets.slice(0, 50), '192.0.2.1', ...nets.slice(50)]))).toEqual([
    ...nets.slice(0, 50),
    '192.0.2.1/32',
    ...nets.slice(50),
  ]);
  expect(read(stored(nets.slice(1)))).toEqual(nets.slice(1));
  reader.forget(KEY);
  expect(read(stored([]))).toEqual([]);
});
