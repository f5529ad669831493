import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestNamespace } from '@overland/linux/testing';
import { ROOT } from '../running-lab.ts';
import { CriClient } from './cri-client.ts';
import { Daemon } from './daemon.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/** Of the pause containers and of all others. */
export const IMAGE = 'localhost/box:1';

/** containerd in a namespace, with directories of its own, which comes and goes. */
export interface Containerd extends AsyncDisposable {
  readonly cri: CriClient;
  /** Starts it (again), and waits until it answers. */
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** `ctr ARGS`, in the host's network, with the plugins and networks of this containerd. */
  ctr(...args: readonly string[]): Promise<string>;
  /** The last that it has logged. */
  readonly log: string;
}

/**
 * @param options.plugins Directories of CNI plugins.
 * @param options.network A network configuration list; of several, containerd uses the first alone.
 */
export async function startContainerd(
  namespace: TestNamespace,
  { plugins, network }: { readonly plugins: readonly string[]; readonly network: object },
): Promise<Containerd> {
  const directory = await mkdtemp(join(tmpdir(), 'containerd-'));
  const [file, socket, networks, bin] = ['config.toml', 'c.sock', 'net.d', 'bin'].map((name) =>
    join(directory, name),
  ) as [string, string, string, string];
  for (const path of [networks, bin]) await mkdir(path);
  for (const path of plugins) await run('cp', ['-a', `${path}/.`, bin]);
  await writeFile(join(networks, '10-fabric.conflist'), JSON.stringify(network));
  await writeFile(file, configuration(directory, networks, bin));
  const image = join(directory, 'image.tar');
  await run(join(ROOT, 'lab/containers/busybox-image'), [image, IMAGE]);

  const cri = new CriClient(socket, IMAGE);
  let daemon: Daemon | undefined;
  const ctr = async (...args: readonly string[]): Promise<string> => {
    const inside = ['unshare', '--mount', join(import.meta.dirname, 'with-cni'), networks, bin];
    const argv = [...inside, 'ctr', '--address', socket, ...args];
    return (await run('nsenter', [`--net=${namespace.path}`, ...argv])).stdout;
  };
  const start = async (): Promise<void> => {
    const started = new Daemon(namespace, ['containerd', '--config', file], { ownSys: false });
    daemon = started;
    await until(
      () => `containerd answers: ${started.output}`,
      () => cri.call('Status', {}).catch(() => undefined),
      30,
    );
  };
  await start();
  for (const space of ['k8s.io', 'default']) await ctr('-n', space, 'images', 'import', image);
  return {
    cri,
    start,
    ctr,
    kill: async (signal) => daemon?.kill(signal),
    get log() {
      return daemon?.output ?? '';
    },
    async [Symbol.asyncDispose]() {
      await cri.removeAll().catch(() => undefined);
      cri[Symbol.dispose]();
      await daemon?.kill('SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** `restrict_oom_score_adj`: containers of CI may not lower their score. */
function configuration(directory: string, networks: string, bin: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "${directory}/c.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${bin}"
    conf_dir = "${networks}"
`;
}
