import { type IpAddress, parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { cable, netns } from '../testing/netns.ts';
import { openKernel } from './open-kernel.ts';
import { openNftables } from './open-nftables.ts';

const table = 'inet tracking';

/** A host that tracks connections, and somebody who pings its addresses. */
async function tracked() {
  await using made = new AsyncDisposableStack();
  const host = made.use(await netns());
  const other = made.use(await netns());
  await cable(
    {
      namespace: host,
      device: 'eth1',
      addresses: ['10.1.0.0/31', 'fd00:1::/127', '10.2.0.1/32', '10.2.0.2/32', '10.2.0.3/32'],
    },
    { namespace: other, device: 'eth1', addresses: ['10.1.0.1/31', 'fd00:1::1/127'] },
  );
  await other.ip('route', 'add', '10.2.0.0/24', 'via', '10.1.0.0');
  const hook = { type: 'nat', hook: 'prerouting', priority: -100, policy: 'accept' } as const;
  using nftables = openNftables({ namespace: host.path });
  await nftables.transact([
    { type: 'add-table', table },
    { type: 'add-chain', table, chain: 'c', hook },
    { type: 'add-rule', table, chain: 'c', rule: 'ip daddr 10.2.0.3 dnat ip to 10.2.0.2' },
    // Without it, connections of IPv6 are not tracked.
    { type: 'add-rule', table, chain: 'c', rule: 'ct state new accept' },
  ]);
  const kernel = made.use(openKernel({ namespace: host.path }));
  const owned = made.move();
  return {
    ping: (...addresses: string[]) =>
      Promise.all(
        addresses.map((address) => other.exec(['ping', '-q', '-c', '1', '-W', '5', address])),
      ),
    forget: (...addresses: string[]) => kernel.conntrack.forget(addresses.map(parseAddress)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('connections of an address are forgotten, in either direction, and no others', async () => {
  await using host = await tracked();
  await host.ping('10.1.0.0', '10.2.0.1', 'fd00:1::');
  expect(await host.forget('10.2.0.1')).toBe(1);
  expect(await host.forget('10.2.0.1')).toBe(0);
  // At the other end, and what is left of both versions.
  expect(await host.forget('fd00:1::1')).toBeGreaterThanOrEqual(1);
  expect(await host.forget('10.1.0.1')).toBe(1);
  expect(await host.forget('10.1.0.0')).toBe(0);
  expect(await host.forget()).toBe(0);
});

test('an address behind NAT has the connection, too', async () => {
  await using host = await tracked();
  await host.ping('10.2.0.3');
  expect(await host.forget('10.2.0.2')).toBe(1);
});

test('many addresses at once', async () => {
  await using host = await tracked();
  await host.ping('10.1.0.0', '10.2.0.1', '10.2.0.2');
  const many: IpAddress[] = Array.from({ length: 50 }, (_, i) => parseAddress(`10.2.0.${i}`));
  expect(await host.forget(...many)).toBe(2);
  expect(await host.forget('10.1.0.1')).toBe(1);
});
