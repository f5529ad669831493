import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { until } from '../../../tests/interop/support/until.ts';
import { interfaceOf } from '../host/cluster.ts';

const run = promisify(execFile);

export const PORT = 9000;
const GATEWAY = '169.254.1.1';
const UPLINK = ['192.0.2.0', '192.0.2.1'] as const;

/** What {@link Way.load} can be. */
export type Load = 'connect' | 'answer' | 'stream' | 'packets';

/** A workload of a host, and somebody outside who puts load on it. */
export interface Way extends AsyncDisposable {
  readonly host: TestNamespace;
  /** @returns Connections, round trips, octets or packets a second. */
  load(what: Load, milliseconds: number): Promise<number>;
}

/** @returns The compiled load; see `load.c`. */
export async function compileLoad(): Promise<string> {
  const program = join(await mkdtemp(join(tmpdir(), 'load-')), 'load');
  await run('cc', ['-O2', '-o', program, join(import.meta.dirname, 'load.c')]);
  return program;
}

/** @param endpoint Which of the host's endpoints the workload is. */
export async function way(program: string, endpoint: number, address: string): Promise<Way> {
  const stack = new AsyncDisposableStack();
  const [host, workload, outside] = [
    stack.use(await netns()),
    stack.use(await netns()),
    stack.use(await netns()),
  ];
  const device = interfaceOf(endpoint);
  await cable(
    { namespace: host, device: 'up0', addresses: [`${UPLINK[0]}/31`] },
    { namespace: outside, device: 'eth0', addresses: [`${UPLINK[1]}/31`] },
  );
  await cable(
    { namespace: host, device, addresses: [`${GATEWAY}/32`] },
    { namespace: workload, device: 'eth0', addresses: [`${address}/32`] },
  );
  await host.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  await host.ip('route', 'add', `${address}/32`, 'dev', device);
  await workload.ip('route', 'add', `${GATEWAY}/32`, 'dev', 'eth0');
  await workload.ip('route', 'add', 'default', 'via', GATEWAY);
  await outside.ip('route', 'add', 'default', 'via', UPLINK[0]);
  const server = spawn('ip', ['netns', 'exec', workload.name, program, 'serve', `${PORT}`]);
  stack.defer(async () => {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });
  await until('the workload listens', async () =>
    (await workload.exec(['ss', '-Hltun'])).includes(`:${PORT + 3}`),
  );
  const received = async (): Promise<number> =>
    Number(await workload.exec(['cat', '/sys/class/net/eth0/statistics/rx_packets']));
  return {
    host,
    async load(what, milliseconds) {
      const before = what === 'packets' ? await received() : 0;
      const argv = [program, what, address, `${PORT}`, `${milliseconds}`] as const;
      const done = Number(await outside.exec([...argv]));
      const count = what === 'packets' ? (await received()) - before : done;
      return (count * 1000) / milliseconds;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
