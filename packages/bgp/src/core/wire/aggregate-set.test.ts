import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { aggregateSet } from './aggregate-set.ts';

test('ORIGIN, an empty AS_PATH, ATOMIC_AGGREGATE, AGGREGATOR and communities (RFC 4271 sections 4.3 and 5.1)', () => {
  const set = aggregateSet({
    origin: 2,
    asn: 70_000,
    routerId: parseAddress('10.0.0.5'),
    communities: [0xfde8_0001, [65_000, 1, 2]],
  });
  expect(Buffer.from(set).toString('hex')).toBe(
    [
      '40010102',
      '400200',
      '400600',
      'c00708000111700a000005',
      'c00804fde80001',
      'c0200c0000fde80000000100000002',
    ].join(''),
  );
});
