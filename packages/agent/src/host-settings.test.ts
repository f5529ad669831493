import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fakeKernel } from '@overland/linux/testing';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { HostSettings } from './host-settings.ts';

const FORWARDING = 'net.ipv4.ip_forward';

async function directory(): Promise<string> {
  const path = await mkdtemp(`${tmpdir()}/overland-`);
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

test('what the settings were is kept for the day they are put back', async () => {
  const state = await directory();
  const { sysctls } = fakeKernel();
  await sysctls.set(FORWARDING, '0');
  await new HostSettings(sysctls, state, pino({ level: 'silent' })).apply([]);
  expect(await sysctls.get(FORWARDING)).toBe('1');
  const kept: unknown = JSON.parse(await readFile(`${state}/sysctls.json`, 'utf8'));
  expect(kept).toContainEqual(expect.objectContaining({ key: FORWARDING, before: '0' }));
});

test('a disk that takes nothing keeps no host from its settings, now and later', async () => {
  const state = `${await directory()}/state`;
  await writeFile(state, 'a file where the directory should be');
  const { sysctls } = fakeKernel();
  await sysctls.set(FORWARDING, '0');
  const settings = new HostSettings(sysctls, state, pino({ level: 'silent' }));
  await settings.apply([]);
  expect(await sysctls.get(FORWARDING)).toBe('1');
  await rm(state);
  await settings.apply(['eth1']);
  // What could not be kept the first time is kept now.
  const kept: unknown = JSON.parse(await readFile(`${state}/sysctls.json`, 'utf8'));
  expect(kept).toContainEqual(expect.objectContaining({ key: FORWARDING, before: '0' }));
});
