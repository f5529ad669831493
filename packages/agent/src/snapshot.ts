import { readIfPresent, writeDurably } from '@overland/linux/durable-file';
import { z } from 'zod';

/** One key as it last stood, values as stored. Decoding is the reader's: an agent of another version may have newer kinds. */
interface SnapshotEntry {
  readonly key: string;
  readonly value: string;
}

/** The part of the datastore that this host needs to come up alone: architecture, section 1. */
export interface Snapshot {
  /** Whose it is: a snapshot of another node is of no use. */
  readonly nodeName: string;
  readonly entries: readonly SnapshotEntry[];
}

/**
 * Raised when an older agent could no longer read what we write. Readers take their own version and those
 * below; new fields beside the known ones do not raise it.
 */
const VERSION = 1;

const Stored = z.object({
  version: z.int().min(1).max(VERSION),
  nodeName: z.string(),
  entries: z.array(z.object({ key: z.string(), value: z.string() })),
});

/** Writes the snapshot; see {@link writeDurably}. */
export async function writeSnapshot(path: string, snapshot: Snapshot): Promise<void> {
  await writeDurably(path, `${JSON.stringify({ version: VERSION, ...snapshot })}\n`);
}

/**
 * Reads the last snapshot.
 *
 * @returns `undefined` if there is none for this node, or none that this version can read.
 */
export async function readSnapshot(path: string, nodeName: string): Promise<Snapshot | undefined> {
  const text = await readIfPresent(path);
  if (text === undefined) return undefined;
  const stored = Stored.safeParse(parseJson(text));
  if (!stored.success || stored.data.nodeName !== nodeName) return undefined;
  return { nodeName, entries: stored.data.entries };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
