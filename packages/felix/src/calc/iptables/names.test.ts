import { expect, test } from 'vitest';
import { listChain, setName } from './names.ts';

test.each([
  ['ingress GlobalNetworkPolicy web', 'cali-pi-web'],
  ['egress NetworkPolicy prod/web', 'cali-po-prod/web'],
  ['ingress Profile open', 'cali-pri-open'],
  ['egress Profile kns.default', 'cali-pro-kns.default'],
])('%s is %s', (id, chain) => {
  expect(listChain(id)).toBe(chain);
});

test('what is too long, or would look like a digest, is a digest', () => {
  const long = listChain(`ingress GlobalNetworkPolicy ${'a'.repeat(21)}`);
  expect(long).toMatch(/^cali-pi-_[\w-]{19}$/);
  expect(listChain(`ingress GlobalNetworkPolicy ${'a'.repeat(22)}`)).not.toBe(long);
  expect(listChain('ingress Profile _x')).toMatch(/^cali-pri-_[\w-]{18}$/);
});

test('names of sets of one selector differ by version, and by name of port', () => {
  const names = ['s:abc', 'n:web:s:abc', 'n:dns:s:abc'].flatMap((id) => [
    setName(id, 4),
    setName(id, 6),
  ]);
  expect(new Set(names).size).toBe(6);
  for (const name of names) expect(name.length).toBeLessThanOrEqual(31);
});
