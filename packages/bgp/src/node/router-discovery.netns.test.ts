import { openDiscoverySocket, runInNamespace } from '@overland/linux';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import type { IpAddress } from '@overland/net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { RouterDiscovery } from './router-discovery.ts';

const UP = [{ name: 'eth1', usable: true, addresses: [] }];
const DOWN = [{ name: 'eth1', usable: false, addresses: [] }];
const WAIT_MS = 10_000;

async function connect(left: TestNamespace, right: TestNamespace): Promise<void> {
  await cable(
    { namespace: left, device: 'eth1', addresses: [] },
    { namespace: right, device: 'eth1', addresses: [] },
  );
  // Duplicate address detection would hold everything back for a second.
  for (const [namespace, address] of [
    [left, 'fe80::1/64'],
    [right, 'fe80::2/64'],
  ] as const) {
    await namespace.ip('addr', 'flush', 'dev', 'eth1');
    await namespace.ip('addr', 'add', address, 'dev', 'eth1', 'nodad');
  }
}

/** Discovery on eth1 of a namespace. */
function discoveryIn(namespace: TestNamespace) {
  let wake = (): void => undefined;
  const discovery = new RouterDiscovery({
    open: (options) => runInNamespace(namespace.path, () => openDiscoverySocket(options)),
    random: () => 0,
    log: pino({ level: 'silent' }),
    isInUse: () => false,
    changed: () => wake(),
  });
  discovery.watch(['eth1']);
  /** Waits until this is the router. */
  const hears = (router: string | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${discovery.routerOn('eth1')} instead of ${router}`)),
        WAIT_MS,
      );
      wake = () => {
        if (discovery.routerOn('eth1') !== router) return;
        clearTimeout(late);
        resolve();
      };
      wake();
    });
  return { discovery, hears };
}

async function pair() {
  const [left, right] = [await netns(), await netns()];
  await connect(left, right);
  const [near, far] = [discoveryIn(left), discoveryIn(right)];
  return {
    left,
    right,
    near,
    far,
    async [Symbol.asyncDispose]() {
      near.discovery.stop(false);
      far.discovery.stop(false);
      await left[Symbol.asyncDispose]();
      await right[Symbol.asyncDispose]();
    },
  };
}

test('two that look for each other find each other, whoever comes first', async () => {
  await using net = await pair();
  net.near.discovery.setInterfaces(UP);
  net.far.discovery.setInterfaces(UP);
  await Promise.all([net.near.hears('fe80::2'), net.far.hears('fe80::1')]);
});

test('one that parts for good is gone at once', async () => {
  await using net = await pair();
  for (const { discovery } of [net.near, net.far]) discovery.setInterfaces(UP);
  await Promise.all([net.near.hears('fe80::2'), net.far.hears('fe80::1')]);
  net.far.discovery.stop(true);
  await net.near.hears(undefined);
});

test('an interface that goes down forgets its router; one that is made anew finds another', async () => {
  await using net = await pair();
  for (const { discovery } of [net.near, net.far]) discovery.setInterfaces(UP);
  await net.near.hears('fe80::2');
  await net.left.ip('link', 'del', 'eth1');
  await net.near.hears(undefined);
  for (const { discovery } of [net.near, net.far]) discovery.setInterfaces(DOWN);
  await connect(net.right, net.left);
  for (const { discovery } of [net.near, net.far]) discovery.setInterfaces(UP);
  await Promise.all([net.near.hears('fe80::1'), net.far.hears('fe80::2')]);
});

test('an interface that is made anew while nobody says so is found again', async () => {
  await using net = await pair();
  for (const { discovery } of [net.near, net.far]) discovery.setInterfaces(UP);
  await net.near.hears('fe80::2');
  await net.left.ip('link', 'del', 'eth1');
  await connect(net.right, net.left);
  await Promise.all([net.near.hears('fe80::1'), net.far.hears('fe80::2')]);
});

test('who dials us is the router, until another address is', async () => {
  await using net = await pair();
  net.near.discovery.setInterfaces(UP);
  expect(net.near.discovery.dialled('eth1', 'fe80::2' as IpAddress)).toBe(true);
  expect(net.near.discovery.dialled('eth1', 'fe80::9' as IpAddress)).toBe(false);
  expect(net.near.discovery.dialled('eth2', 'fe80::2' as IpAddress)).toBe(false);
});
