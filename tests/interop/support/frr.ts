import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

const run = promisify(execFile);

type Name = 'zebra' | 'bgpd' | 'bfdd';

/** FRR's zebra and bgpd in a namespace, with a directory of their own. */
export interface Frr extends AsyncDisposable {
  /** `vtysh -c COMMAND`. @returns Its output. */
  vtysh(...commands: readonly string[]): Promise<string>;
  /** Of bgpd alone; zebra keeps the kernel's routes. */
  killBgpd(signal: NodeJS.Signals): Promise<void>;
  startBgpd(): Promise<void>;
  /** Of bfdd alone. */
  killBfdd(signal: NodeJS.Signals): Promise<void>;
}

/** @param bfd Whether bfdd runs, too. */
export async function startFrr(
  namespace: TestNamespace,
  config: string,
  { bfd = false } = {},
): Promise<Frr> {
  const directory = await mkdtemp(join(tmpdir(), 'frr-'));
  const file = join(directory, 'frr.conf');
  await writeFile(file, config);
  await run('chown', ['-R', 'frr:frr', directory]);
  const daemons = new Map<string, Daemon>();

  const vtysh = async (...commands: readonly string[]): Promise<string> => {
    const args = commands.flatMap((command) => ['-c', command]);
    return (await run('vtysh', ['--vty_socket', directory, ...args])).stdout;
  };
  const start = async (name: Name, ...extra: readonly string[]): Promise<void> => {
    const paths = ['-i', join(directory, `${name}.pid`), '-z', join(directory, 'zserv')];
    const shared = ['--vty_socket', directory, '-f', file, '-P', '0', '--log', 'stdout'];
    const daemon = new Daemon(namespace, [`/usr/lib/frr/${name}`, ...paths, ...shared, ...extra]);
    daemons.set(name, daemon);
    await until(
      () => `${name} answers: ${daemon.output}`,
      () =>
        existsSync(join(directory, `${name}.vty`)) ? vtysh('show version').catch(() => '') : '',
    );
  };
  await start('zebra');
  if (bfd) await start('bfdd', '--bfdctl', join(directory, 'bfdd.sock'));
  await start('bgpd');
  return {
    vtysh,
    async killBgpd(signal) {
      await daemons.get('bgpd')?.kill(signal);
    },
    startBgpd: () => start('bgpd'),
    async killBfdd(signal) {
      await daemons.get('bfdd')?.kill(signal);
    },
    async [Symbol.asyncDispose]() {
      for (const daemon of daemons.values()) await daemon.kill('SIGKILL');
    },
  };
}
