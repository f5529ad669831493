import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { RunningLab } from '../running-lab.ts';
import { CriClient } from './cri-client.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const CALL_TIMEOUT_MS = 60_000;

interface ContainerRequest {
  readonly name: string;
  /** What policies know it by: the label `role`, or the namespace of the pod. */
  readonly role: 'web' | 'db';
  /** IPv4, if it is to have that one. */
  readonly address?: string;
}

/** A container runtime in the nodes of a lab. */
export interface NodeRuntime {
  readonly name: 'podman' | 'containerd';
  /** Starts a container that waits. */
  run(node: string, request: ContainerRequest): Promise<void>;
  /** Removes a container, whatever state it is in, or none. */
  remove(node: string, name: string): Promise<void>;
  removeAll(node: string): Promise<void>;
  /** Kills the runtime as a crash would: the daemon, or what does a command. Containers go on. */
  kill(node: string): Promise<void>;
}

const IMAGE = 'localhost/box:latest';

export function podmanOf(lab: RunningLab): NodeRuntime {
  return {
    name: 'podman',
    async run(node, { name, role, address }) {
      const network = address === undefined ? role : `${role}:ip=${address}`;
      await lab.run(node, 'podman', 'run', '-d', '--name', name, '--network', network, IMAGE);
    },
    async remove(node, name) {
      await lab.run(node, 'podman', 'rm', '-f', '-i', '-t', '0', name);
    },
    async removeAll(node) {
      await lab.run(node, 'podman', 'rm', '-a', '-f', '-t', '0');
    },
    async kill(node) {
      await lab.run(node, 'pkill', '-KILL', '-x', 'podman').catch(() => undefined);
    },
  };
}

export function containerdOf(lab: RunningLab): NodeRuntime {
  const withClient = async <T>(node: string, task: (cri: CriClient) => Promise<T>): Promise<T> => {
    const pid = (await lab.pids()).get(node);
    using cri = new CriClient(`/proc/${pid}/root/run/containerd/containerd.sock`, IMAGE);
    return await task(cri);
  };
  const remove = (node: string, isMeant: (name: string | undefined) => boolean): Promise<void> =>
    withClient(node, async (cri) => {
      const { items } = await cri.call('ListPodSandbox', {});
      for (const { id, metadata } of items) if (isMeant(metadata?.name)) await cri.removePod(id);
    });
  return {
    name: 'containerd',
    async run(node, { name, role, address }) {
      const annotations =
        address === undefined ? {} : { 'cni.projectcalico.org/ipAddrs': JSON.stringify([address]) };
      await withClient(node, (cri) => cri.runPod({ name, namespace: role, annotations }));
    },
    remove: (node, name) => remove(node, (one) => one === name),
    removeAll: (node) => remove(node, () => true),
    async kill(node) {
      await lab.run(node, 'pkill', '-KILL', '-x', 'containerd').catch(() => undefined);
      const pid = (await lab.pids()).get(node);
      const enter = ['-t', String(pid), '-m', '-u', '-i', '-n', '-p', '--', 'container-host'];
      const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
      await run('nsenter', enter, { env, timeout: CALL_TIMEOUT_MS });
      // It answers before it knows again what it has.
      const isReady = (cri: CriClient) => cri.call('ListPodSandbox', {}).catch(() => undefined);
      await withClient(node, (cri) => until('containerd is ready', () => isReady(cri)));
    },
  };
}
