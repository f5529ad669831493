import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestNamespace } from '@overland/linux/testing';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

/** OpenBGPD in a namespace. It does not touch the kernel's routes. */
export interface Openbgpd extends AsyncDisposable {
  /** `bgpctl COMMAND`. @returns Its output. */
  bgpctl(...words: readonly string[]): Promise<string>;
  readonly log: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** @param config As of bgpd.conf(5), without a control socket. */
export async function startOpenbgpd(namespace: TestNamespace, config: string): Promise<Openbgpd> {
  const directory = await mkdtemp(join(tmpdir(), 'openbgpd-'));
  const [file, socket] = [join(directory, 'bgpd.conf'), join(directory, 'bgpd.sock')];
  // It refuses a file that others may read: there may be keys in it.
  await writeFile(file, `socket "${socket}"\nfib-update no\n${config}`, { mode: 0o600 });
  // The home of its user, which it makes its root. systemd makes it where it runs as a service.
  await mkdir('/run/openbgpd', { recursive: true });
  // FRR has a bgpd as well.
  const daemon = new Daemon(namespace, ['/usr/sbin/bgpd', '-d', '-f', file]);
  const bgpctl = (...words: readonly string[]): Promise<string> =>
    namespace.exec(['/usr/sbin/bgpctl', '-s', socket, ...words]);
  await until(
    () => `OpenBGPD answers: ${daemon.output}`,
    () => bgpctl('show').catch(() => ''),
  );
  return {
    bgpctl,
    get log() {
      return daemon.output;
    },
    kill: (signal) => daemon.kill(signal),
    [Symbol.asyncDispose]: () => daemon.kill('SIGTERM'),
  };
}
