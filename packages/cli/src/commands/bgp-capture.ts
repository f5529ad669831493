import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { WriteStream } from 'node:tty';
import type { CapturePiece, CaptureRecord } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { CaptureFile } from '../bgp/capture-file.ts';
import { CaptureText } from '../bgp/capture-text.ts';
import { type CommandContext, command, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { writeOut } from '../write-out.ts';

/** How long the speaker is to wait for octets, and how much longer it has for its answer, milliseconds. */
const WAIT_MS = 5000;
const GRACE_MS = 10_000;

/** `bgp capture X [-w FILE] [--count N]` - what goes over one session, from the speaker's own buffers. */
export const bgpCapture = command({
  name: 'bgp capture',
  summary: 'Record what goes over one session, for Wireshark and tcpdump',
  description: `Octets are taken from the speaker's own buffers, whatever the interface, and under TCP-MD5, too; TCP and IP headers are made up around them. Without -w there is a line for each message; with it a
pcapng file, or standard output for '-'. It ends after --count packets, or when it is interrupted. 4 captures at a time, 4 MiB each that wait to be fetched: what is lost is told. Exit code 3 if there is no such peer.`,
  arguments: { peer: { summary: 'name or address' } },
  options: {
    write: {
      type: 'string',
      short: 'w',
      value: 'file',
      summary: 'pcapng file; -: standard output',
    },
    count: { type: 'string', value: 'n', summary: 'end after so many packets' },
    socket: SOCKET_OPTION,
  },
  examples: [
    ['overland bgp capture spine1', 'messages as they come and go'],
    ['overland bgp capture spine1 -w spine1.pcapng --count 100', 'the next 100 packets'],
  ],
  async handle(context, { peer, write, count, socket }) {
    const most = count === undefined ? Number.POSITIVE_INFINITY : wholeCount(count);
    await using sink = await openSink(context, write);
    let taken = 0;
    for await (const { records, dropped } of pieces(context, socket, peer)) {
      for (const record of records.slice(0, most - taken)) await sink.take(record);
      taken += Math.min(records.length, most - taken);
      if (dropped > 0) context.stderr.write(`${dropped} packets were lost: they came too fast\n`);
      if (taken >= most) break;
    }
    if (write !== undefined) context.stderr.write(`${taken} packets\n`);
    return EXIT.success;
  },
});

function wholeCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new UsageError(`--count must be a whole number above 0, not ${text}`);
}

/** Begins a capture, and ends it when nobody goes on. */
async function* pieces(
  context: CommandContext,
  socket: string | undefined,
  peer: string,
): AsyncGenerator<CapturePiece> {
  const method = 'POST';
  const begin = `/v1/bgp/capture?${new URLSearchParams({ peer })}`;
  const { next } = await askHere<CapturePiece>(context, socket, { method, url: begin });
  try {
    while (!context.signal.aborted) {
      const query = new URLSearchParams({ next, waitMs: String(WAIT_MS) });
      const url = `/v1/bgp/capture?${query}`;
      yield await askHere<CapturePiece>(context, socket, { url, timeoutMs: WAIT_MS + GRACE_MS });
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    const url = `/v1/bgp/capture?${new URLSearchParams({ end: next })}`;
    const unstoppable = { ...context, signal: new AbortController().signal };
    await askHere(unstoppable, socket, { method, url }).catch(() => undefined);
  }
}

interface Sink extends AsyncDisposable {
  take(record: CaptureRecord): Promise<void>;
}

async function openSink(context: CommandContext, write: string | undefined): Promise<Sink> {
  const { stdout, colours } = context;
  if (write === undefined) {
    const text = new CaptureText(colours);
    return { take: (record) => writeOut(stdout, text.lines(record)), ...NOTHING_TO_CLOSE };
  }
  const capture = new CaptureFile();
  if (write === '-') {
    if (stdout instanceof WriteStream) throw new UsageError('a capture is no text: use a pipe');
    const put = async (octets: Uint8Array): Promise<void> => {
      if (!stdout.write(octets)) await once(stdout, 'drain');
    };
    await put(capture.head());
    return { take: (record) => put(capture.packets(record)), ...NOTHING_TO_CLOSE };
  }
  const file = await openFile(context, write);
  await file.appendFile(capture.head());
  return {
    take: (record) => file.appendFile(capture.packets(record)),
    [Symbol.asyncDispose]: () => file.close(),
  };
}

const NOTHING_TO_CLOSE = { [Symbol.asyncDispose]: async (): Promise<void> => undefined };

/** Sessions may carry what is nobody else's business. */
async function openFile({ workingDirectory }: CommandContext, given: string): Promise<FileHandle> {
  try {
    return await open(resolve(workingDirectory, given), 'w', 0o600);
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot write ${given}: ${code}`);
  }
}
