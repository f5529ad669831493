import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import {
  createNamespace,
  deleteNamespace,
  listNamespaces,
  namespaceIdentity,
  namespacePath,
  runInNamespace,
} from './namespaces.ts';
import { netns } from './testing/netns.ts';

const here = (): string => readlinkSync('/proc/thread-self/ns/net');

test('a namespace is what `ip netns` takes it for', () => {
  const path = createNamespace('web1');
  expect(path).toBe('/run/netns/web1');
  expect(listNamespaces()).toContain('web1');
  expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).toContain('web1');
  expect(execFileSync('ip', ['-n', 'web1', 'link'], { encoding: 'utf8' })).toContain('lo:');
  expect(() => createNamespace('web1')).toThrow(/EEXIST/);

  deleteNamespace('web1');
  deleteNamespace('web1');
  expect(listNamespaces()).not.toContain('web1');
  expect(namespaceIdentity(path)).toBeUndefined();
});

test('one that `ip netns` made can be deleted, and a leftover file too', () => {
  execFileSync('ip', ['netns', 'add', 'web2']);
  writeFileSync(namespacePath('leftover'), '');
  expect(namespaceIdentity(namespacePath('leftover'))).toBeUndefined();
  deleteNamespace('web2');
  deleteNamespace('leftover');
  expect(listNamespaces()).not.toEqual(expect.arrayContaining(['web2']));
  expect(listNamespaces()).not.toContain('leftover');
});

test('identity is the same on every path to a namespace', async () => {
  await using left = await netns();
  await using right = await netns();
  expect(namespaceIdentity(left.path)).not.toBe(namespaceIdentity(right.path));
  expect(namespaceIdentity('/proc/self/ns/net')).toBe(
    namespaceIdentity('/proc/thread-self/ns/net'),
  );
  const inside = runInNamespace(left.path, () => namespaceIdentity('/proc/thread-self/ns/net'));
  expect(inside).toBe(namespaceIdentity(left.path));
});

test('work inside sees that namespace, and the thread comes back', async () => {
  await using ns = await netns();
  const home = here();
  const inside = runInNamespace(ns.path, () => ({
    namespace: here(),
    devices: readFileSync('/proc/thread-self/net/dev', 'utf8'),
  }));
  expect(inside.namespace).not.toBe(home);
  expect(inside.devices).toContain('lo:');
  expect(here()).toBe(home);

  const fail = (): never => {
    throw new Error('inside');
  };
  expect(() => runInNamespace(ns.path, fail)).toThrow('inside');
  expect(() => runInNamespace('/run/netns/none', here)).toThrow(/ENOENT/);
  expect(() => runInNamespace('/etc/hostname', here)).toThrow(/EINVAL/);
  expect(here()).toBe(home);
});

test('another thread is not moved', async () => {
  await using ns = await netns();
  const ready = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads');
     const here = () => require('node:fs').readlinkSync('/proc/thread-self/ns/net');
     Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0);
     Atomics.wait(workerData, 1, 0);
     parentPort.postMessage(here());`,
    { eval: true, workerData: ready },
  );
  const answer = once(worker, 'message');
  Atomics.wait(ready, 0, 0, 10_000);
  const inside = runInNamespace(ns.path, () => {
    Atomics.store(ready, 1, 1);
    Atomics.notify(ready, 1);
    return here();
  });
  expect(await answer).toEqual([here()]);
  expect(inside).not.toBe(here());
});

test('no descriptor is left open', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const rounds = 20;
  for (let i = 0; i < rounds; i++) {
    const path = createNamespace('leak');
    runInNamespace(path, here);
    expect(() => createNamespace('leak')).toThrow(/EEXIST/);
    deleteNamespace('leak');
  }
  // The runtime opens and closes some of its own meanwhile; a leak is at least one each round.
  expect(open()).toBeLessThan(before + rounds);
});

test('a name cannot leave the directory', () => {
  for (const name of ['', '.', '..', 'a/b']) expect(() => namespacePath(name)).toThrow(RangeError);
});
