import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findWorkloads, loadTopology, type PingEndpoint, pingAll } from '@overland/lab';
import { HANDLE_PREFIX, resourcePrefix } from '@overland/model';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  allSessionsUp,
  type ConvergedLab,
  converged,
  killAgent,
  letPass,
  startAgents,
} from './fabric/converged-lab.ts';
import { datastoreOf } from './fabric/datastore-of-lab.ts';
import { eventually, ROOT, startLab } from './running-lab.ts';
import { containerdOf, type NodeRuntime, podmanOf } from './support/node-runtime.ts';
import { type AnswerWatch, watchAnswers } from './support/watch-answers.ts';

const HOSTS = ['host1', 'host2'] as const;
const isSoak = process.env.OVERLAND_SOAK === '1';
/** Containers on each host. */
const PER_HOST = isSoak ? 10 : 3;
/** How long after the beginning of a start or a stop something is killed, milliseconds. */
const MOMENTS = isSoak ? [50, 100, 200, 300, 400, 600, 800, 1200] : [150, 400, 800];
/** A database's, which somebody asks for echoes whom its policy denies. */
const ASKED = '10.65.200.9';
const POLICIES = `${ROOT}/tests/interop/topologies/containers-policies.yaml`;

let lab: ConvergedLab;

beforeAll(async () => {
  if (process.env.OVERLAND_RUNTIMES !== '1') return;
  const topology = loadTopology(`${ROOT}/lab/containers.clab.yml`, process.env, 'containers-test');
  // The tests start their own.
  const nodes = topology.nodes.map((node) => ({
    ...node,
    exec: node.exec.filter(([program]) => program !== 'podman'),
  }));
  const bare = { ...topology, nodes };
  const running = await startLab(bare);
  lab = { ...running, topology: bare, workloads: new Map() };
  expect(lab.failures).toEqual([]);
  await converged(lab);
  await lab.run('host1', 'overland', 'apply', '-f', POLICIES);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

async function workloads(node: string): Promise<string[]> {
  const text = await lab.run(node, 'overland', 'workload', 'list', '-o', 'json');
  return (JSON.parse(text) as { name: string }[]).map(({ name }) => name).toSorted();
}

/** Interfaces of a host, and what the datastore holds of its containers. */
async function remains(node: string): Promise<string[]> {
  const links = (await lab.inNetwork(node, 'ip', '-o', 'link')).match(/cali[0-9a-f]+/g) ?? [];
  const { entries } = datastoreOf(lab, 'sqlite');
  const stored = await Promise.all(
    [HANDLE_PREFIX, resourcePrefix('WorkloadEndpoint')].map((prefix) => entries(prefix)),
  );
  const keys = stored.flatMap((one) => Object.keys(one)).filter((key) => key.includes(node));
  return [...links, ...keys];
}

async function nothingRemains(): Promise<void> {
  for (const node of HOSTS) {
    let left: readonly string[] = [];
    await eventually(`nothing remains on ${node}`, 30_000, async () => {
      left = await remains(node);
      return left.length === 0 ? true : undefined;
    }).catch(() => expect(left).toEqual([]));
  }
}

/** What a runtime that knows GC does when it has lost count: says of each network that nothing of it is left. */
async function collect(node: string): Promise<void> {
  const pid = (await lab.pids()).get(node);
  for (const name of ['fabric', 'web', 'db']) {
    const config = { cniVersion: '1.1.0', name, type: 'overland', 'cni.dev/valid-attachments': [] };
    const env = { CNI_COMMAND: 'GC', CNI_PATH: '/opt/cni/bin', PATH: process.env.PATH };
    const argv = ['-t', String(pid), '-m', '-n', '--', '/opt/cni/bin/overland'];
    const plugin = spawn('nsenter', argv, { env, stdio: ['pipe', 'inherit', 'inherit'] });
    plugin.stdin.end(JSON.stringify(config));
    expect(await once(plugin, 'close')).toEqual([0, null]);
  }
}

/** Containers that policies let each other be reached by, and no others, answer. */
async function reachAsPoliciesSay(count: number): Promise<void> {
  const endpoints = await eventually('all containers are there', 10_000, async () => {
    const found = (await findWorkloads(await lab.observe())).filter(
      ({ name, addresses }) => /^(?:web|db)-/.test(name) && addresses.length > 0,
    );
    return found.length === count ? found : undefined;
  });
  const isAllowed = (from: PingEndpoint, to: PingEndpoint): boolean =>
    to.name.startsWith('web') || from.name.startsWith('web');
  // What is denied is denied at once and always; what is allowed may be lost on a machine that has other work.
  await eventually('who may reach whom does', 20_000, async () => {
    const pings = await pingAll(endpoints, 1);
    const told = pings.map(({ from, to, family, roundTripMs }) => ({
      pair: `${from.name} ${to.name} ${family}`,
      allowed: isAllowed(from, to),
      answered: roundTripMs !== undefined,
    }));
    expect(told.filter(({ allowed, answered }) => answered && !allowed)).toEqual([]);
    expect(told.length).toBeGreaterThanOrEqual(count * (count - 1));
    return told.every(({ allowed, answered }) => allowed === answered) ? true : undefined;
  });
}

async function leafAsks(): Promise<AnswerWatch> {
  const path = `/proc/${(await lab.pids()).get('leaf1')}/ns/net`;
  return watchAnswers({ path }, [ASKED]);
}

const asked = { name: 'db-asked', role: 'db', address: ASKED } as const;

/** Begins, and kills something at a moment that nothing is waited for. */
async function interrupted(
  begun: Promise<unknown>,
  afterMs: number,
  kill: () => Promise<void>,
): Promise<void> {
  const ended = begun.catch(() => undefined);
  await letPass(afterMs);
  await kill();
  await ended;
}

/** A runtime that was killed may have to be asked again: layers are in use for a while, or it does not know yet what it has. */
async function untilDone(what: string, task: () => Promise<void>): Promise<void> {
  await eventually(what, 30_000, async () => {
    await task();
    return true;
  });
}

describe.runIf(process.env.OVERLAND_RUNTIMES === '1')('two hosts behind BIRD and FRR', () => {
  describe.each([
    ['podman', podmanOf],
    ['containerd', containerdOf],
  ] as const)('with %s', (_, runtimeOf) => {
    let runtime: NodeRuntime;
    beforeAll(() => {
      runtime = runtimeOf(lab);
    });

    // What one test leaves is not what the next one finds.
    afterEach(async () => {
      for (const node of HOSTS) {
        await untilDone(`${node} has no container`, () => runtime.removeAll(node));
        await collect(node);
      }
    });

    async function fill(): Promise<number> {
      const roles = ['web', 'db'] as const;
      await Promise.all(
        HOSTS.map(async (node, at) => {
          for (let i = 0; i < PER_HOST; i++) {
            const role = roles[(i + at) % 2] ?? 'web';
            await runtime.run(node, { name: `${role}-${at + 1}-${i}`, role });
          }
        }),
      );
      return HOSTS.length * PER_HOST;
    }

    test('containers of both hosts reach whom policies let them, and leave nothing', async () => {
      await reachAsPoliciesSay(await fill());
      for (const node of HOSTS) await runtime.removeAll(node);
      await nothingRemains();
    });

    test('an agent killed during starts and stops: nobody is let in, nothing remains', async () => {
      await using watch = await leafAsks();
      await watch.asked(20);
      for (const moment of MOMENTS) {
        await interrupted(runtime.run('host1', asked), moment, () => killAgent(lab, 'host1'));
        await startAgents(lab);
        await runtime.remove('host1', asked.name);
        await runtime.run('host1', asked);
        await watch.asked(20);
        await interrupted(runtime.remove('host1', asked.name), moment, () =>
          killAgent(lab, 'host1'),
        );
        await startAgents(lab);
        await runtime.remove('host1', asked.name);
      }
      expect(await watch.answers()).toEqual([0]);
      await nothingRemains();
    });

    test('a runtime killed during starts and stops: nobody is let in, nothing remains after GC', async () => {
      await using watch = await leafAsks();
      await watch.asked(20);
      for (const moment of MOMENTS) {
        const kill = (): Promise<void> => runtime.kill('host1');
        await interrupted(runtime.run('host1', asked), moment, kill);
        await untilDone('it is removed', () => runtime.remove('host1', asked.name));
        await collect('host1');
        await runtime.run('host1', asked);
        await watch.asked(20);
        await interrupted(runtime.remove('host1', asked.name), moment, kill);
        await untilDone('it is removed', () => runtime.remove('host1', asked.name));
        await collect('host1');
      }
      expect(await watch.answers()).toEqual([0]);
      await collect('host1');
      await nothingRemains();
    });

    test('a host that reboots gives back what its containers had, and runs others', async () => {
      await fill();
      await runtime.run('host1', asked);
      const pid = (await lab.pids()).get('host1') ?? 0;
      await using before = await leafAsks();
      await before.asked(20);
      expect(await before.answers()).toEqual([0]);
      process.kill(pid, 'SIGKILL');
      await eventually('the host is gone', 10_000, async () =>
        (await lab.pids()).has('host1') ? undefined : true,
      );
      // Not watched while it goes: namespaces that end lose their packet filter some milliseconds before their links, and an
      // echo may be answered then. A machine that is switched off does not.
      await using watch = await leafAsks();
      await startAgents(lab);
      await allSessionsUp(lab);
      await eventually('the host has no container', 20_000, async () =>
        (await workloads('host1')).length === 0 && (await remains('host1')).length === 0
          ? true
          : undefined,
      );
      await runtime.removeAll('host1');
      await runtime.run('host1', { name: 'web-again', role: 'web' });
      await runtime.run('host1', asked);
      await watch.asked(20);
      await reachAsPoliciesSay(PER_HOST + 2);
      expect(await watch.answers()).toEqual([0]);
      for (const node of HOSTS) await runtime.removeAll(node);
      await nothingRemains();
    });
  });
});
