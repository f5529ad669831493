import { expect, test } from 'vitest';
import { ExhaustedPools } from './exhausted-pools.ts';

const full = async (): Promise<never> => {
  throw Object.assign(new Error('no IPv4 address'), { name: 'NoAddressError' });
};

test('pools without an address are known by what was wished, until there is one, or for a while', async () => {
  let now = 0;
  const exhausted = new ExhaustedPools(() => now);
  const wishes = { pools: ['few'] };
  await expect(exhausted.watch(wishes, full)).rejects.toThrow('no IPv4 address');
  expect(exhausted.reason({ pools: ['few'] })).toBe('no IPv4 address');
  expect(exhausted.reason({})).toBeUndefined();
  now = 30_000;
  expect(exhausted.reason(wishes)).toBeUndefined();

  await exhausted.watch(wishes, full).catch(() => undefined);
  exhausted.released();
  expect(exhausted.reason(wishes)).toBeUndefined();

  await exhausted.watch(wishes, full).catch(() => undefined);
  await exhausted.watch(wishes, async () => 'assigned');
  expect(exhausted.reason(wishes)).toBeUndefined();
});

test('another failure says nothing about addresses', async () => {
  const exhausted = new ExhaustedPools(() => 0);
  const away = async (): Promise<never> => {
    throw new Error('the datastore is away');
  };
  await expect(exhausted.watch({}, away)).rejects.toThrow('away');
  expect(exhausted.reason({})).toBeUndefined();
});
