import { expect, test } from 'vitest';
import { nftCommand } from './nft-command.ts';
import { type Nftables, NftError } from './nftables.ts';
import { fakeNftables } from './testing/fake-nftables.ts';
import { netns } from './testing/netns.ts';

const TABLE = 'inet sample';
const TEXT = `table inet sample {
	map known {
		typeof iifname : verdict
	}

	chain from-known {
		iifname vmap @known
		drop
	}
}`;

const content = (known: Record<string, string>) => ({
  text: TEXT,
  elements: new Map([['known', new Map(Object.entries(known))]]),
});

/** Both implementations behave alike. */
async function exercise(nftables: Nftables): Promise<void> {
  expect(await nftables.readTable(TABLE)).toBeUndefined();

  await nftables.replaceTable(TABLE, content({ cali1: 'return', cali2: 'drop' }));
  expect(await nftables.readTable(TABLE)).toEqual(content({ cali1: 'return', cali2: 'drop' }));

  const add = new Map([
    ['cali1', 'return'],
    ['cali3', 'accept'],
  ]);
  await nftables.changeElements(TABLE, 'known', { add, remove: ['cali2'] });
  expect(await nftables.readTable(TABLE)).toEqual(content({ cali1: 'return', cali3: 'accept' }));

  const bad = nftables.changeElements(TABLE, 'known', {
    add: new Map([['cali4', 'return']]),
    remove: ['cali2'],
  });
  await expect(bad).rejects.toThrow(NftError);
  expect(await nftables.readTable(TABLE)).toEqual(content({ cali1: 'return', cali3: 'accept' }));

  await nftables.replaceTable(TABLE, content({}));
  expect(await nftables.readTable(TABLE)).toEqual(content({}));
}

test('nft', async () => {
  await using namespace = await netns();
  await exercise(nftCommand({ namespace: namespace.path }));
});

test('the fake', () => exercise(fakeNftables()));
