import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { familyOf } from '@overland/net';

/** A container of the lab as the streams see it. */
export interface StreamEnd {
  readonly name: string;
  readonly pid: number;
  readonly namespace: string | undefined;
  readonly addresses: readonly string[];
}

/** What one stream of echo requests went through. */
export interface StreamReport {
  /** `web-11 → web-21 ipv4`. */
  readonly name: string;
  readonly sent: number;
  readonly lost: number;
  /** The longest run of lost requests, in milliseconds. */
  readonly longestLossMs: number;
}

const INTERVAL_MS = 10;
/** Requests that may still be under way when the stream is stopped. */
const IN_FLIGHT = 5;

/**
 * Starts a stream of echo requests, one each 10 ms, for every pair in both families.
 *
 * @returns Stops the streams and reports, in the order of the pairs.
 */
export async function startPingStreams(
  pairs: readonly (readonly [StreamEnd, StreamEnd])[],
): Promise<() => Promise<StreamReport[]>> {
  const streams = pairs.flatMap(([from, to]) => {
    return to.addresses.map((address) => startStream(from, to, address));
  });
  await Promise.all(streams.map(({ flowing }) => flowing));
  return () => Promise.all(streams.map(({ stop }) => stop()));
}

function startStream(from: StreamEnd, to: StreamEnd, address: string) {
  const name = `${from.name} → ${to.name} ${familyOf(address)}`;
  const inside = from.namespace ? ['nsenter', `--net=/run/netns/${from.namespace}`, '--'] : [];
  const child = spawn(
    'nsenter',
    [
      ...['--target', String(from.pid), '--mount', '--net', '--', ...inside],
      ...['ping', '-n', '-i', String(INTERVAL_MS / 1000), address],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let text = '';
  const flowing = Promise.withResolvers<void>();
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (chunk.includes('icmp_seq=')) flowing.resolve();
  });
  child.once('exit', () => flowing.reject(new Error(`${name}: ping ended: ${text}`)));
  return {
    flowing: flowing.promise,
    stop: async () => {
      await interrupt(child);
      return report(name, text);
    },
  };
}

async function interrupt(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGINT');
  await closed;
}

function report(name: string, text: string): StreamReport {
  const [, sentText, timeText] = /(\d+) packets transmitted.* time (\d+)ms/.exec(text) ?? [];
  const sent = Number(sentText);
  // What ping kept of the pace it was asked for.
  const intervalMs = Number(timeText) / (sent - 1);
  const answered = Array.from(text.matchAll(/icmp_seq=(\d+) ttl/g), ([, digits]) => Number(digits));
  const arrived = new Set(answered);
  const until = Math.max(sent - IN_FLIGHT, ...answered);
  let [lost, run, longest] = [0, 0, 0];
  for (let sequence = 1; sequence <= until; sequence++) {
    run = arrived.has(sequence) ? 0 : run + 1;
    if (run > 0) lost += 1;
    longest = Math.max(longest, run);
  }
  return { name, sent, lost, longestLossMs: Math.round(longest * intervalMs) };
}
