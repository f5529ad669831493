import { type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WriteStream } from 'node:tty';
import type { DumpPiece } from '@overland/bgp/node';
import { askHere, SOCKET_OPTION } from '../bgp/ask-speaker.ts';
import { type CommandContext, command, FailureError, UsageError } from '../command.ts';

/** `bgp dump mrt [-w FILE]` - the RIBs of this host's speaker as an MRT file. */
export const bgpDump = command({
  name: 'bgp dump',
  summary: 'Write the routes of the speaker as an MRT table dump',
  description: `TABLE_DUMP_V2 of RFC 6396, as bgpdump, OpenBGPD and most collectors read it: every path of every prefix, with the peer it came from. Paths that import rules refuse are left
out, and attributes are as the rules made them; --received has all, as they came. Sessions go on meanwhile; a prefix is as it was when its turn came.`,
  arguments: { format: { summary: 'of the file', choices: ['mrt'] } },
  options: {
    write: { type: 'string', short: 'w', value: 'file', summary: 'file; default: standard output' },
    received: { type: 'boolean', summary: 'what peers sent, before import rules' },
    socket: SOCKET_OPTION,
  },
  examples: [
    ['overland bgp dump mrt -w rib.mrt', 'into a file, which is there when it is whole'],
    ['overland bgp dump mrt | bgpdump -', 'for another program'],
  ],
  async handle(context, { write, received, socket }) {
    const pieces = fetchPieces(context, socket, received ? 'received' : 'accepted');
    if (write !== undefined) {
      await writeWhole(resolve(context.workingDirectory, write), write, pieces);
      return 0;
    }
    if (context.stdout instanceof WriteStream) {
      throw new UsageError('a dump is no text: write it to a file (-w FILE) or into a pipe');
    }
    await pipeline(Readable.from(pieces), context.stdout, { end: false });
    return 0;
  },
});

async function* fetchPieces(
  context: CommandContext,
  socket: string | undefined,
  view: 'accepted' | 'received',
): AsyncGenerator<Uint8Array> {
  let query = new URLSearchParams({ view });
  for (;;) {
    const url = `/v1/bgp/dump?${query}`;
    const { octets, next } = await askHere<DumpPiece>(context, socket, { url });
    yield Buffer.from(octets, 'base64');
    if (next === null) return;
    query = new URLSearchParams({ next });
  }
}

/** Writes beside the file first: what has its name is never half a dump. */
async function writeWhole(
  path: string,
  given: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<void> {
  const partial = `${path}.partial`;
  let file: FileHandle;
  try {
    file = await open(partial, 'w');
  } catch (error) {
    throw new UsageError(`cannot write ${given}: ${codeOf(error)}`);
  }
  try {
    for await (const piece of pieces) await file.appendFile(piece);
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close();
    await unlink(partial).catch(() => undefined);
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new FailureError(`cannot write ${given}: ${codeOf(error)}`);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
