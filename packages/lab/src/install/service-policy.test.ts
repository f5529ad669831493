import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forbidServiceStarts } from './service-policy.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'policy-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const paths = (): [string, string] => [join(directory, 'policy'), join(directory, 'kept')];

test('services are forbidden meanwhile, and afterwards nothing is left', async () => {
  const [policy, kept] = paths();
  {
    await using _ = await forbidServiceStarts(policy, kept);
    expect(readFileSync(policy, 'utf8')).toContain('exit 101');
    expect(statSync(policy).mode & 0o777).toBe(0o755);
  }
  expect(() => statSync(policy)).toThrow('ENOENT');
});

test('the policy that was there comes back, also after a run that was killed', async () => {
  const [policy, kept] = paths();
  writeFileSync(policy, 'mine', { mode: 0o700 });
  await forbidServiceStarts(policy, kept); // killed: never disposed
  {
    await using _ = await forbidServiceStarts(policy, kept);
    expect(readFileSync(policy, 'utf8')).toContain('exit 101');
  }
  expect(readFileSync(policy, 'utf8')).toBe('mine');
  expect(statSync(policy).mode & 0o777).toBe(0o700);
});
