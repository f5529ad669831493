import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { emptyPolicyState, type PolicyState } from '@overland/felix';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { PolicySnapshot } from './policy-snapshot.ts';

async function path(): Promise<string> {
  const directory = await mkdtemp(`${tmpdir()}/overland-`);
  onTestFinished(() => rm(directory, { recursive: true }));
  return `${directory}/policy-snapshot.json`;
}

const open = (at: string, nodeName = 'host11') =>
  new PolicySnapshot({ path: at, nodeName, log: pino({ level: 'silent' }) });

const stateOf = (...members: string[]): PolicyState => ({
  ...emptyPolicyState(),
  sets: new Map([['s:a', { kind: 'addresses', members: new Set(members) }]]),
});

test('what was written is read, by its node', async () => {
  const at = await path();
  expect(await open(at).read()).toBeUndefined();
  const snapshot = open(at);
  await snapshot.outdate();
  snapshot.changed({ state: stateOf('10.65.0.1') });
  await snapshot.flush();
  expect(await open(at).read()).toEqual(stateOf('10.65.0.1'));
  expect(await open(at, 'host12').read()).toBeUndefined();
});

test('after a crash it does not stand in for what the packet filter has been told since', async () => {
  const at = await path();
  const snapshot = open(at);
  snapshot.changed({ state: stateOf('10.65.0.1') });
  await snapshot.flush();
  await snapshot.outdate();
  snapshot.changed({ state: stateOf() });
  expect(await open(at).read()).toBe('outdated');
  // Another boot, or another network namespace: nothing is left of what was told.
  const mark = await readFile(`${at}.outdated`, 'utf8');
  await writeFile(`${at}.outdated`, `another ${mark}`);
  expect(await open(at).read()).toEqual(stateOf('10.65.0.1'));
});

test('a change that comes while it is being written leaves it outdated', async () => {
  const at = await path();
  const snapshot = open(at);
  await snapshot.outdate();
  snapshot.changed({ state: stateOf('10.65.0.1') });
  const written = snapshot.flush();
  await Promise.resolve();
  await snapshot.outdate();
  await written;
  expect(await open(at).read()).toBe('outdated');
  snapshot.changed({ state: stateOf('10.65.0.2') });
  await snapshot.flush();
  expect(await open(at).read()).toEqual(stateOf('10.65.0.2'));
});

test('a disk that takes no mark keeps nobody from telling the packet filter', async () => {
  const at = await path();
  await writeFile(`${at}x`, '');
  await expect(open(`${at}x/policy-snapshot.json`).outdate()).resolves.toBeUndefined();
});
