import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { FailureError } from '../command.ts';
import { type TracedPacket, TraceReader } from './traced-packet.ts';

const run = promisify(execFile);
const PREFIX = 'overland-trace-';
/** The kernel tells of a packet in one go: after a pause there is no more to come. */
const QUIET_MS = 300;

export interface TraceOptions {
  readonly table: (name: string) => string;
  /** Packets after which it is over. */
  readonly count: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Packets are traced from now on. */
  readonly started: () => void;
}

/**
 * Has the kernel trace packets that a table marks, in the network namespace of this process.
 *
 * @throws {FailureError} If nft cannot be run, or refuses.
 */
export async function tracePackets(options: TraceOptions): Promise<readonly TracedPacket[]> {
  await removeLeftovers();
  const name = `${PREFIX}${process.pid}`;
  const monitor = spawn('nft', ['monitor', 'trace'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(monitor, 'close').catch(() => undefined);
  try {
    await once(monitor, 'spawn').catch(explain);
    await nft(['-f', '-'], options.table(name));
    try {
      return await collect(monitor.stdout, new TraceReader(`inet ${name}`), options);
    } finally {
      await nft(['delete', 'table', 'inet', name]);
    }
  } finally {
    monitor.kill();
    await ended;
  }
}

function collect(
  output: NodeJS.ReadableStream,
  reader: TraceReader,
  { count, seconds, signal, started }: TraceOptions,
): Promise<readonly TracedPacket[]> {
  return new Promise((resolve) => {
    const packets: TracedPacket[] = [];
    const pending = new Map<string, NodeJS.Timeout>();
    const lines = createInterface({ input: output });
    const over = (): void => {
      clearTimeout(deadline);
      signal.removeEventListener('abort', over);
      for (const timer of pending.values()) clearTimeout(timer);
      lines.close();
      resolve(packets);
    };
    const deadline = setTimeout(over, seconds * 1000);
    signal.addEventListener('abort', over, { once: true });
    const finish = (id: string): void => {
      pending.delete(id);
      const packet = reader.take(id);
      if (packet && packet.steps.length > 0) packets.push(packet);
      if (packets.length >= count) over();
    };
    lines.on('line', (line) => {
      const packet = reader.line(line);
      if (!packet) return;
      clearTimeout(pending.get(packet.id));
      pending.set(
        packet.id,
        setTimeout(() => finish(packet.id), QUIET_MS),
      );
    });
    lines.on('close', over);
    started();
  });
}

/** Tables of traces that were killed. */
async function removeLeftovers(): Promise<void> {
  const { nftables } = JSON.parse(await nft(['-j', 'list', 'tables'])) as {
    readonly nftables: readonly { readonly table?: { family: string; name: string } }[];
  };
  for (const { table } of nftables) {
    const pid = table?.name.startsWith(PREFIX) ? table.name.slice(PREFIX.length) : undefined;
    if (pid === undefined || !/^\d+$/.test(pid) || existsSync(`/proc/${pid}`)) continue;
    await nft(['delete', 'table', 'inet', `${PREFIX}${pid}`]);
  }
}

async function nft(args: readonly string[], input?: string): Promise<string> {
  const running = run('nft', [...args]);
  running.child.stdin?.on('error', () => undefined);
  running.child.stdin?.end(input);
  return (await running.catch(explain)).stdout;
}

function explain(error: NodeJS.ErrnoException & { readonly stderr?: string }): never {
  if (error.code === 'ENOENT') {
    throw new FailureError('tracing needs the program nft: install the package nftables');
  }
  throw new FailureError(error.stderr?.trim() || error.message, { cause: error });
}
