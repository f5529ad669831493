import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Writes text and waits while the reader is behind, so that long output takes no memory. */
export async function writeOut(stream: Writable, text: string): Promise<void> {
  if (text !== '' && !stream.write(text)) await once(stream, 'drain');
}
