import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestNamespace } from '@overland/linux/testing';

/** What one way came to, in one round. */
export interface Figures {
  readonly gbits: number;
  /** Seconds of CPU, of the whole machine, for a gigabit: both ends and everything between. */
  readonly cpuPerGbit: number;
  /** Of one octet there and back over TCP, microseconds. */
  readonly p50Us: number;
  readonly p99Us: number;
}

/** A server each: connections of the first linger on its port. */
const PORTS = { stream: '5201', answers: '5202' } as const;
const READY_MS = 5000;

/** @param seconds Of each of the two measurements. */
export async function measure(
  from: TestNamespace,
  to: TestNamespace,
  target: string,
  seconds: number,
): Promise<Figures> {
  const stream = await throughput(from, to, target, seconds);
  const answers = await latency(from, to, target, seconds);
  return { ...stream, ...answers };
}

async function throughput(
  from: TestNamespace,
  to: TestNamespace,
  target: string,
  seconds: number,
): Promise<Pick<Figures, 'gbits' | 'cpuPerGbit'>> {
  await using _server = await serve(to, PORTS.stream, ['iperf3', '-s', '-p', PORTS.stream]);
  const before = await busySeconds();
  const args = ['-c', target, '-p', PORTS.stream, '-t', `${seconds}`, '-J'];
  const report = JSON.parse(await from.exec(['iperf3', ...args]));
  const cpu = (await busySeconds()) - before;
  const octets = Number(report.end.sum_received.bytes);
  const gigabits = (octets * 8) / 1e9;
  return {
    gbits: Number(report.end.sum_received.bits_per_second) / 1e9,
    cpuPerGbit: cpu / gigabits,
  };
}

async function latency(
  from: TestNamespace,
  to: TestNamespace,
  target: string,
  seconds: number,
): Promise<Pick<Figures, 'p50Us' | 'p99Us'>> {
  await using _server = await serve(to, PORTS.answers, [
    'sockperf',
    'server',
    '--tcp',
    '-p',
    PORTS.answers,
  ]);
  const args = ['--tcp', '-i', target, '-p', PORTS.answers, '-t', `${seconds}`, '-m', '14'];
  const text = await from.exec(['sockperf', 'ping-pong', ...args, '--full-rtt']);
  const percentile = (name: string): number => {
    const found = new RegExp(`percentile ${name} *= *([0-9.]+)`).exec(text);
    if (!found) throw new Error(`sockperf says no percentile ${name}:\n${text}`);
    return Number(found[1]);
  };
  return { p50Us: percentile('50.000'), p99Us: percentile('99.000') };
}

/** Starts a server and waits until it listens. */
async function serve(
  { name, exec }: TestNamespace,
  port: string,
  argv: readonly string[],
): Promise<AsyncDisposable> {
  const child: ChildProcess = spawn('ip', ['netns', 'exec', name, ...argv], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const deadline = performance.now() + READY_MS;
  while (!(await exec(['ss', '-Hltn', `sport = :${port}`])).includes(`:${port}`)) {
    if (performance.now() > deadline) throw new Error(`${argv.join(' ')} does not listen`);
    await delay(10);
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** CPU seconds that the machine has been busy for. proc(5), /proc/stat */
async function busySeconds(): Promise<number> {
  const [first = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first
    .split(/ +/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / 100;
}
