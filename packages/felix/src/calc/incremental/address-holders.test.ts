import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { addressHolders } from './address-holders.ts';

const address = parseAddress;

test('the holder of an address is the one with the narrowest prefix, in any order', () => {
  const source = (name: string, ...members: string[]) =>
    [
      name,
      {
        labelClass: { own: { name } },
        members: members.map((text) => (text.includes('/') ? parsePrefix(text) : address(text))),
      },
    ] as const;
  const sources = [
    source('all', '0.0.0.0/0', '::/0'),
    source('endpoint', '10.65.0.1', 'fd00::1'),
    source('net', '10.65.0.0/24'),
    source('wide', '10.0.0.0/8'),
  ];
  const asked = ['10.65.0.1', '10.65.0.2', '10.1.1.1', '192.0.2.1', 'fd00::1', 'fd00::2'];
  for (const order of [sources, sources.toReversed()]) {
    const found = addressHolders(asked.map(address), order);
    expect(asked.map((text) => found.get(address(text))?.key)).toEqual([
      'endpoint',
      'net',
      'wide',
      'all',
      'endpoint',
      'all',
    ]);
  }
  expect(addressHolders([address('192.0.2.1')], sources.slice(1))).toEqual(new Map());
});
