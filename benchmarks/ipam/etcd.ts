import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ENDPOINT, PORT } from './setting.ts';

export async function startEtcd(data: string): Promise<AsyncDisposable & { pid: number }> {
  const peer = `http://127.0.0.1:${PORT + 1}`;
  const options = {
    '--data-dir': data,
    '--listen-client-urls': ENDPOINT,
    '--advertise-client-urls': ENDPOINT,
    '--listen-peer-urls': peer,
    '--initial-advertise-peer-urls': peer,
    '--initial-cluster': `default=${peer}`,
    '--log-level': 'error',
  };
  const child = spawn('etcd', Object.entries(options).flat(), {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return {
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      child.kill();
      await once(child, 'exit');
    },
  };
}
