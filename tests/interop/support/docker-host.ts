import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestNamespace } from '@overland/linux/testing';
import { ROOT } from '../running-lab.ts';
import { until } from './until.ts';

const run = promisify(execFile);

/** The one image: a userland and nothing else. */
export const BOX = 'localhost/box:1';

/** That of the daemon's own package: another one may be of another version. */
const DOCKER = '/usr/bin/docker';

const CONTAINERD_CONFIG = `version = 2
disabled_plugins = ["io.containerd.grpc.v1.cri"]
oom_score = 0
`;

/** A Docker daemon in a namespace, with everything of it in a directory of its own. */
export interface DockerHost extends AsyncDisposable {
  /** Of its API. */
  readonly socket: string;
  /** Runs `docker ARGS`. @returns What it prints, trimmed. @throws If it fails. */
  docker(...args: readonly string[]): Promise<string>;
  /** Makes {@link BOX} known to the daemon. */
  loadBox(): Promise<void>;
  /** Starts the daemon; resolves when it answers. */
  start(): Promise<void>;
  /** Ends the daemon; with `--live-restore` its containers live on. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Needs docker.io and busybox-static. @param options Further ones of the daemon. */
export async function dockerHost(
  { name }: TestNamespace,
  options: readonly string[] = [],
): Promise<DockerHost> {
  const directory = await mkdtemp(join(tmpdir(), 'docker-'));
  const socket = join(directory, 'docker.sock');
  const containerd = join(directory, 'containerd.sock');
  let output = '';
  const docker = async (...args: readonly string[]): Promise<string> =>
    (await run(DOCKER, ['-H', `unix://${socket}`, ...args])).stdout.trim();
  /** Not by `ip netns exec`: it hides the control groups. */
  const launch = (...argv: readonly string[]): ChildProcess => {
    const child = spawn('nsenter', [`--net=/run/netns/${name}`, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        output = (output + text.toString()).slice(-8000);
      });
    }
    return child;
  };
  const end = async (child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const at = (word: string): string => join(directory, word);
  // Of its own: one that Docker starts ends with it.
  await writeFile(at('containerd.toml'), CONTAINERD_CONFIG);
  const places = ['--address', containerd, '--root', at('images'), '--state', at('tasks')];
  const below = launch('containerd', '--config', at('containerd.toml'), ...places);
  let daemon: ChildProcess | undefined;
  return {
    socket,
    docker,
    async loadBox() {
      await run(join(ROOT, 'lab/containers/busybox-image'), [at('image.tar'), BOX]);
      await docker('load', '-i', at('image.tar'));
    },
    kill: (signal) => end(daemon, signal),
    async start() {
      // What a killed daemon leaves would have the next one refuse.
      await rm(at('docker.pid'), { force: true });
      const places = ['--data-root', at('data'), '--exec-root', at('exec'), '-p', at('docker.pid')];
      const under = ['--containerd', containerd, '--oom-score-adjust', '0'];
      daemon = launch('dockerd', '-H', `unix://${socket}`, ...places, ...under, ...options);
      await until(
        () => `dockerd answers; it says ${output}`,
        () => docker('version').catch(() => ''),
        40,
      );
    },
    async [Symbol.asyncDispose]() {
      await end(daemon, 'SIGTERM');
      await end(below, 'SIGTERM');
      const mounts = (await run('findmnt', ['-rno', 'TARGET'])).stdout.split('\n');
      for (const mount of mounts.filter((path) => path.startsWith(directory)).toReversed()) {
        await run('umount', ['-l', mount]).catch(() => undefined);
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}
