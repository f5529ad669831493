/**
 * How fast is a dead peer noticed, and is a live one ever taken for dead? Two BFD processes on a link, ten sessions at
 * 50 ms × 3, while the thread that relies on them is blocked for 200 ms of every second.
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/bfd.ts [seconds without alarm] [kills]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askForBfdStatus, type BfdStatus } from '@overland/bgp/bfd';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';

const SESSIONS = 10;
const PACE = 'tx=50,rx=50,multiplier=3';
const BLOCKED_MS = 200;

const seconds = Number(process.argv[2] ?? 20);
const kills = Number(process.argv[3] ?? 5);
const bin = join(import.meta.dirname, '../packages/cli/src/bin.ts');
const directory = mkdtempSync(join(tmpdir(), 'bfd-benchmark-'));
const links = Array.from({ length: SESSIONS }, (_, i) => [`10.1.${i}.0`, `10.1.${i}.1`] as const);

await using left = await netns();
await using right = await netns();
await cable(
  { namespace: left, device: 'eth1', addresses: links.map(([own]) => `${own}/31`) },
  { namespace: right, device: 'eth1', addresses: links.map(([, peer]) => `${peer}/31`) },
);
const ours = start(left, 'ours', 1);
let theirs = start(right, 'theirs', 0);
await up();

const blocking = setInterval(() => {
  const end = performance.now() + BLOCKED_MS;
  while (performance.now() < end);
}, 1000);
console.log(`scheduling ${(await askForBfdStatus(socketOf('ours'))).scheduling}`);
await delay(seconds * 1000);
const alarms = (await bothEnds()).reduce((sum, { timesDown }) => sum + timesDown, 0);
console.log(
  `${seconds} s, ${SESSIONS} sessions, caller blocked ${BLOCKED_MS} ms a second: ${alarms} false alarms`,
);
clearInterval(blocking);

const detections: number[] = [];
for (let kill = 0; kill < kills; kill += 1) {
  const killedMs = performance.now();
  theirs.kill('SIGKILL');
  await once(theirs, 'exit');
  await delay(1000);
  for (const { state, stateSeconds } of (await askForBfdStatus(socketOf('ours'))).sessions) {
    if (state !== 'Down') throw new Error(`a session is ${state} a second after its peer has died`);
    detections.push(performance.now() - stateSeconds * 1000 - killedMs);
  }
  theirs = start(right, 'theirs', 0);
  await up();
}
detections.sort((a, b) => a - b);
const at = (share: number): string =>
  `${detections[Math.min(detections.length - 1, Math.floor(share * detections.length))]?.toFixed(0)} ms`;
console.log(
  `detection, ${detections.length} deaths: p50 ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}`,
);
for (const process of [ours, theirs]) process.kill('SIGKILL');

function socketOf(name: string): string {
  return join(directory, `${name}.sock`);
}

function start(namespace: TestNamespace, name: string, peer: 0 | 1): ChildProcess {
  const peers = links.flatMap((link) => [
    '--peer',
    `${link[peer]},local=${link[1 - peer]},${PACE}`,
  ]);
  const run = ['bfd', 'run', '--socket', socketOf(name), '--log-level', 'silent', ...peers];
  const overland = [process.execPath, '--conditions=@overland/source', bin, ...run];
  return spawn('ip', ['netns', 'exec', namespace.name, ...overland], { stdio: 'inherit' });
}

async function bothEnds(): Promise<readonly BfdStatus[]> {
  const ends = await Promise.all(['ours', 'theirs'].map((name) => askForBfdStatus(socketOf(name))));
  return ends.flatMap(({ sessions }) => sessions);
}

/** Until every session is up on both ends, at the agreed pace. */
async function up(): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const sessions = await bothEnds().catch(() => []);
    const settled = sessions.filter(
      ({ state, detectionMs }) => state === 'Up' && detectionMs === 150,
    );
    if (settled.length === 2 * SESSIONS) return;
    await delay(100);
  }
  throw new Error('the sessions do not come up');
}
