import { describe, expect, test } from 'vitest';
import { type Iptables, type IptablesChange, IptablesError } from '../iptables.ts';

const flush = (chain: string): IptablesChange => ({ type: 'flush-chain', chain });
const append = (chain: string, rule: string): IptablesChange => ({
  type: 'append-rule',
  chain,
  rule,
});

/** As iptables-save writes it. */
const WEB = '-p tcp -m comment --comment "cali:abc web" -m tcp --dport 80 -j ACCEPT';
const DROP = '-j DROP';
const SAMPLE = [
  flush('cali-a'),
  flush('cali-b'),
  append('cali-a', WEB),
  append('cali-a', '-j cali-b'),
];

/**
 * What every {@link Iptables} must do: run on the fake and on the kernel's interfaces.
 *
 * @param make Makes an empty one, that nothing else uses.
 */
export function describeIptables(
  name: string,
  make: () => Promise<AsyncDisposable & { readonly iptables: Iptables }>,
): void {
  describe(name, () => {
    test('what is written is read back', async () => {
      await using made = await make();
      const { iptables } = made;
      await iptables.transact('ipv4', 'filter', SAMPLE);
      const content = await iptables.read('ipv4', 'filter');
      expect(content.get('cali-a')).toEqual([WEB, '-j cali-b']);
      expect(content.get('cali-b')).toEqual([]);
      expect((await iptables.read('ipv6', 'filter')).has('cali-a')).toBe(false);
      expect((await iptables.read('ipv4', 'nat')).has('cali-a')).toBe(false);
    });

    test('chains are written anew, and removed', async () => {
      await using made = await make();
      const { iptables } = made;
      await iptables.transact('ipv6', 'filter', SAMPLE);
      await iptables.transact('ipv6', 'filter', [
        flush('cali-a'),
        append('cali-a', DROP),
        { type: 'delete-chain', chain: 'cali-b' },
      ]);
      const content = await iptables.read('ipv6', 'filter');
      expect(content.get('cali-a')).toEqual([DROP]);
      expect(content.has('cali-b')).toBe(false);
    });

    test('what it tells cheaply changes with rules, not with looking', async () => {
      await using made = await make();
      const { iptables } = made;
      await iptables.transact('ipv4', 'filter', SAMPLE);
      const before = iptables.signature?.();
      await iptables.read('ipv4', 'filter');
      await iptables.read('ipv6', 'nat');
      expect(iptables.signature?.()).toBe(before);
      await iptables.transact('ipv4', 'filter', [append('cali-b', DROP)]);
      const isTold = iptables.signature !== undefined;
      expect(iptables.signature?.() !== before).toBe(isTold);
    });

    test('rules among those of others', async () => {
      await using made = await make();
      const { iptables } = made;
      const others = '-s 192.0.2.1/32 -j DROP';
      const forward = async () => (await iptables.read('ipv4', 'filter')).get('FORWARD');
      await iptables.transact('ipv4', 'filter', [flush('cali-a'), append('FORWARD', others)]);
      await iptables.transact('ipv4', 'filter', [
        { type: 'insert-rule', chain: 'FORWARD', rule: '-j cali-a' },
        append('FORWARD', WEB),
      ]);
      expect(await forward()).toEqual(['-j cali-a', others, WEB]);
      await iptables.transact('ipv4', 'filter', [
        { type: 'delete-rule', chain: 'FORWARD', rule: '-j cali-a' },
        { type: 'delete-rule', chain: 'FORWARD', rule: WEB },
        { type: 'delete-chain', chain: 'cali-a' },
      ]);
      expect(await forward()).toEqual([others]);
    });

    test.each<[string, IptablesChange]>([
      ['a rule that leads nowhere', append('cali-a', '-j cali-none')],
      ['the end of a chain that something leads to', { type: 'delete-chain', chain: 'cali-b' }],
      ['the end of a chain that is not there', { type: 'delete-chain', chain: 'cali-none' }],
      ['a rule of no chain', append('cali-none', DROP)],
      ['the end of a rule that is not there', { type: 'delete-rule', chain: 'cali-a', rule: DROP }],
    ])('%s: nothing is changed', async (_, change) => {
      await using made = await make();
      const { iptables } = made;
      await iptables.transact('ipv4', 'filter', SAMPLE);
      const before = await iptables.read('ipv4', 'filter');
      const changes = [flush('cali-c'), append('cali-c', DROP), change];
      await expect(iptables.transact('ipv4', 'filter', changes)).rejects.toThrow(IptablesError);
      expect(await iptables.read('ipv4', 'filter')).toEqual(before);
    });
  });
}
