import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { loadTopology, NameInUseError, runningNodes, takeDown } from '@overland/lab';
import { expect, test } from 'vitest';
import { eventually, ROOT, startLab, withoutNodes } from './running-lab.ts';

const LEAF_SPINE = `${ROOT}/lab/leaf-spine.clab.yml`;

const routersOnly = (name: string) =>
  withoutNodes(loadTopology(LEAF_SPINE, process.env, name), 'overland');

/** Sessions between routers that are not up; those to the hosts that are left out do not count. */
const isBetweenRouters = ({ peer }: { peer: string | undefined }) => peer !== undefined;

test('spines and leaves of both vendors converge: sessions, ECMP, loopbacks reach each other', async () => {
  await using lab = await startLab(routersOnly('routers'));
  expect(lab.failures).toEqual([]);
  const sessions = await eventually('all sessions', 30_000, async () => {
    const all = (await lab.observe()).sessions.filter(isBetweenRouters);
    const down = all.filter(({ state }) => state !== 'Established');
    return all.length === 32 && down.length === 0 ? all : undefined;
  });
  expect(new Set(sessions.map(({ node }) => node)).size).toBe(6);

  for (const [node, family, destination] of [
    ['leaf11', '-4', '10.255.0.22'],
    ['leaf11', '-6', 'fd00:255::22'],
    ['leaf12', '-4', '10.255.0.21'],
    ['leaf12', '-6', 'fd00:255::21'],
  ] as const) {
    const route = await eventually(`two paths of ${node} to ${destination}`, 10_000, async () => {
      const text = await lab.inNetwork(node, 'ip', family, 'route', 'show', destination);
      return text.includes('dev eth1') && text.includes('dev eth2') ? text : undefined;
    });
    expect(route).toContain('src ');
    // The way there is known; the way back may be a moment later.
    const ping = await eventually(`an echo from ${destination}`, 10_000, () =>
      lab.run(node, 'ping', '-n', '-c', '1', '-W', '1', destination),
    );
    expect(ping).toContain(' 0% packet loss');
  }
});

test('a node is a machine of its own: processes, hosts file, logs, nothing in the root namespace', async () => {
  await using lab = await startLab(routersOnly('alone'));
  expect(await lab.run('spine1', 'hostname')).toBe('spine1\n');
  expect(await lab.run('spine1', 'ping', '-c', '1', '-W', '2', 'leaf22')).toContain(
    ' 0% packet loss',
  );
  const processes = await lab.run('leaf11', 'ps', '-e', '-o', 'pid=,user=,comm=');
  expect(processes).toMatch(/^\s+1 root\s+sleep$/m);
  expect(processes).toMatch(/ bird\s+bird$/m);
  await lab.run('leaf11', 'touch', '/etc/only-here');
  expect(existsSync('/etc/only-here')).toBe(false);
  const links = execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' });
  expect(links).toContain('lo:');
  expect(links).not.toMatch(/aa:c1:ab|br-mgmt|port\d/);
});

test('bringing it up again changes nothing; what was killed comes back; down leaves nothing', async () => {
  const topology = routersOnly('again');
  {
    await using first = await startLab(topology);
    const before = await first.pids();
    {
      const second = await startLab(topology);
      expect(await second.pids()).toEqual(before);
    }
    const victim = before.get('leaf12');
    if (victim === undefined) throw new Error('leaf12 does not run');
    process.kill(victim, 'SIGKILL');
    await eventually('leaf12 is gone', 5000, async () =>
      existsSync(`/proc/${victim}`) ? undefined : true,
    );
    const third = await startLab(topology);
    const after = await third.pids();
    expect(after.get('leaf12')).not.toBe(victim);
    expect(after.get('leaf11')).toBe(before.get('leaf11'));
    // The other end of leaf12's link was lost with it; it is back, with its address.
    const addresses = await third.inNetwork('spine1', 'ip', '-br', 'address', 'show', 'eth2');
    expect(addresses).toContain('10.254.1.12/31');
    await eventually('spine1 and leaf12 peer again', 30_000, async () => {
      const { sessions } = await third.observe();
      const found = sessions.filter((one) => one.node === 'spine1' && one.peer === 'leaf12');
      return (
        (found.length === 2 && found.every(({ state }) => state === 'Established')) || undefined
      );
    });
  }
  expect(await runningNodes('again')).toEqual([]);
  expect(existsSync('/run/overland/lab/again')).toBe(false);
  expect(await takeDown('again')).toBe(false);
});

test('two labs with equal subnets run side by side; a name belongs to one file', async () => {
  await using _one = await startLab(routersOnly('one'));
  await using two = await startLab(routersOnly('two'));
  expect(await two.run('leaf11', 'ping', '-c', '1', '-W', '2', '10.254.1.10')).toContain(
    ' 0% packet loss',
  );
  const foreign = { ...routersOnly('one'), file: '/elsewhere/other.clab.yml' };
  await expect(startLab(foreign)).rejects.toThrow(NameInUseError);
  await expect(startLab(foreign)).rejects.toThrow(`lab 'one' runs already, from ${LEAF_SPINE}`);
  const changed = routersOnly('two');
  const edited = changed.nodes.map((node) =>
    node.name === 'spine2' ? { ...node, environment: { A: '1' } } : node,
  );
  await expect(startLab({ ...changed, nodes: edited })).rejects.toThrow(
    "lab 'two' runs already, with other settings of spine2;",
  );
});

test('a lab that cannot start leaves nothing', async () => {
  const topology = routersOnly('broken');
  const [first, ...rest] = topology.nodes;
  if (!first) throw new Error('no nodes');
  const broken = { ...topology, nodes: [{ ...first, sysctls: { 'net.no.such': '1' } }, ...rest] };
  await expect(startLab(broken)).rejects.toThrow(
    'node spine1 did not start: sysctl net/no/such: this kernel has no such setting',
  );
  expect(await runningNodes('broken')).toEqual([]);
  expect(existsSync('/run/overland/lab/broken')).toBe(false);
});
