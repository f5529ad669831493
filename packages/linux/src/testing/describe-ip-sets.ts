import { describe, expect, test } from 'vitest';
import type { IpSet, IpSets } from '../ip-sets.ts';

const NETS: IpSet = { name: 'cali40s:5y5I3VdRZfDU01O--xXAPx2', type: 'hash:net', family: 'ipv4' };
const NETS6: IpSet = { name: 'cali60nets', type: 'hash:net', family: 'ipv6' };
const PORTS: IpSet = { name: 'cali40ports', type: 'hash:ip,port', family: 'ipv4' };

/**
 * What every {@link IpSets} must do: run on the fake and on the kernel.
 *
 * @param make Makes an empty one, that nothing else uses.
 */
export function describeIpSets(
  name: string,
  make: () => Promise<AsyncDisposable & { readonly sets: IpSets }>,
): void {
  describe(name, () => {
    test('sets are there once they are made', async () => {
      await using made = await make();
      const { sets } = made;
      expect(await sets.list()).toEqual([]);
      for (const set of [NETS, NETS6, PORTS]) await sets.create(set);
      expect(await sets.list()).toEqual([PORTS, NETS, NETS6]);
      await sets.create(NETS);
      await expect(sets.create({ ...NETS, type: 'hash:ip,port' })).rejects.toMatchObject({
        code: 'EEXIST',
      });
      await sets.destroy(NETS.name);
      await sets.destroy(NETS.name);
      expect(await sets.list()).toEqual([PORTS, NETS6]);
    });

    test.each([
      [NETS, ['10.65.0.1', '10.0.0.0/8', '192.0.2.0/31'], ['10.65.0.1']],
      [NETS6, ['fd00::1', 'fd00::/8', '2001:db8::/127'], ['fd00::/8']],
      [PORTS, ['10.65.0.1,6:80', '10.65.0.1,17:53', '10.65.0.2,132:65535'], ['10.65.0.1,17:53']],
    ])('members of $name come and go', async (set, add, remove) => {
      await using made = await make();
      const { sets } = made;
      await sets.create(set);
      await sets.change(set.name, { add, remove: [] });
      expect(await sets.members(set.name)).toEqual(new Set(add));
      // Nothing is new.
      await sets.change(set.name, { add, remove: [] });
      await sets.change(set.name, { add: [], remove });
      await sets.change(set.name, { add: [], remove });
      expect(await sets.members(set.name)).toEqual(
        new Set(add.filter((member) => !remove.includes(member))),
      );
    });

    test('many members are read back', async () => {
      await using made = await make();
      const add = Array.from(
        { length: 70_000 },
        (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
      );
      await made.sets.create(NETS);
      await made.sets.change(NETS.name, { add, remove: [] });
      expect(await made.sets.members(NETS.name)).toEqual(new Set(add));
    });

    test('what is not there cannot be changed or read', async () => {
      await using made = await make();
      const { sets } = made;
      const change = sets.change('none', { add: ['10.65.0.1'], remove: [] });
      await expect(change).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(sets.members('none')).rejects.toMatchObject({ code: 'ENOENT' });
    });

    test.each(['web', '10.65.0.1/8', '10.65.0.1,6:70000', '10.65.0.1,tcp:80', ''])(
      '%j is no member',
      async (member) => {
        await using made = await make();
        await made.sets.create(NETS);
        const change = made.sets.change(NETS.name, { add: [member], remove: [] });
        await expect(change).rejects.toThrow(/is not a valid/);
      },
    );
  });
}
