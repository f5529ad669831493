import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_PATHS, installPlugins } from './install.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cni-install-'));
});
afterEach(() => rm(directory, { recursive: true }));

function install() {
  return installPlugins({
    binDirectory: join(directory, 'bin'),
    configDirectory: join(directory, 'net.d'),
    network: 'fabric',
    paths: { ...DEFAULT_PATHS, apiSocket: '/run/other.sock' },
    form: 'script',
  });
}

test('executables and a network are there afterwards, and nothing else', async () => {
  const config = join(directory, 'net.d/10-overland.conflist');
  expect(await install()).toEqual({
    form: 'script',
    files: [join(directory, 'bin/overland-ipam'), join(directory, 'bin/overland'), config],
    kept: undefined,
  });
  expect(await readdir(join(directory, 'bin'))).toEqual(['overland', 'overland-ipam']);
  expect((await stat(join(directory, 'bin/overland'))).mode & 0o777).toBe(0o755);
  const script = await readFile(join(directory, 'bin/overland'), 'utf8');
  expect(script).toContain("= ('/run/other.sock', '/var/lib/overland');");
  expect(JSON.parse(await readFile(config, 'utf8'))).toMatchObject({
    name: 'fabric',
    plugins: [{ type: 'overland', capabilities: { portMappings: true } }],
  });
});

test('the second time the executables are replaced, and the network is kept', async () => {
  await install();
  const config = join(directory, 'net.d/10-overland.conflist');
  await writeFile(config, '{"name":"mine"}');
  await writeFile(join(directory, 'bin/overland'), 'old');
  expect(await install()).toMatchObject({ kept: config });
  expect(await readFile(config, 'utf8')).toBe('{"name":"mine"}');
  expect(await readFile(join(directory, 'bin/overland'), 'utf8')).toMatch(/^#!\/usr\/bin\/perl/);
  expect(await readdir(join(directory, 'bin'))).toEqual(['overland', 'overland-ipam']);
});
