import { expect, test } from 'vitest';
import { startBfdRun } from './support/bfd-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { until } from './support/until.ts';

const PACE = 'tx=50,rx=50,multiplier=3';

const config = (neighbors: readonly string[]): string => `
router id 10.0.0.1;
protocol device {}
protocol bfd {
  interface "eth1" { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; };
  multihop { min rx interval 50 ms; min tx interval 50 ms; multiplier 3; };
  ${neighbors.map((neighbor) => `neighbor ${neighbor};`).join('\n  ')}
}
`;

/** The kernel's own address of eth1. */
async function linkLocal(namespace: { ip(...args: string[]): Promise<string> }): Promise<string> {
  return until('eth1 has a link-local address', async () => {
    const text = await namespace.ip('-6', 'address', 'show', 'dev', 'eth1', 'scope', 'link');
    return text.includes('tentative') ? undefined : /fe80:[0-9a-f:]+/.exec(text)?.[0];
  });
}

test('IPv4, IPv6 and link-local come up; BIRD that is killed is missed in time', async () => {
  await using net = await fabric();
  const [ours, theirs] = [await linkLocal(net.host), await linkLocal(net.leaf)];
  const neighbors = [OURS.ipv4, OURS.ipv6, ours].map((address) => `${address} dev "eth1"`);
  await using bird = await startBird(net.leaf, config(neighbors));
  const keys = [THEIRS.ipv4, `${THEIRS.ipv6}%eth1`, `${theirs}%eth1`];
  await using bfd = await startBfdRun(net.host, ...keys.map((key) => `${key},${PACE}`));
  for (const key of keys) {
    await bfd.reaches(key, 'Up');
    await until('the pace is agreed', async () => (await bfd.session(key)).detectionMs === 150);
  }
  await until('BIRD has all up', async () => {
    const text = await bird.birdc('show bfd sessions');
    return text.match(/ Up /g)?.length === 3;
  });
  const killedMs = performance.now();
  await bird.kill('SIGKILL');
  for (const key of keys) {
    const { atMs, verdict } = await bfd.reaches(key, 'Down');
    expect(verdict).toBe('down');
    expect(atMs - killedMs).toBeLessThan(300);
  }
});

test('multihop: BIRD sends with the TTL of the system, not 255', async () => {
  await using net = await fabric();
  const neighbor = `${OURS.ipv4} local ${THEIRS.ipv4} multihop yes`;
  await using bird = await startBird(net.leaf, config([neighbor]));
  await using bfd = await startBfdRun(net.host, `${THEIRS.ipv4},${PACE},multihop,min-ttl=64`);
  await bfd.reaches(`${THEIRS.ipv4} multihop`, 'Up');
  await until('BIRD has it up', async () => {
    return (await bird.birdc('show bfd sessions')).includes(' Up ');
  });
});
