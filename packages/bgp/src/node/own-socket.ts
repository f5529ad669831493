import { once } from 'node:events';
import { chmodSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/**
 * Listens on a unix socket that only its owner may use.
 *
 * @param taken The error to throw, with the reason: another process answers on it already.
 */
export async function ownSocket(
  server: Server,
  path: string,
  taken: (reason: string) => Error,
): Promise<void> {
  if (await isAnswered(path)) throw taken(`another process answers on ${path}`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  // The mode must hold before anyone can connect, so it is taken away by the mask and not given later.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
}

/** Removes a socket file that nobody answers on: it is left over from a crash. */
async function isAnswered(path: string): Promise<boolean> {
  const probe = connect({ path });
  try {
    await once(probe, 'connect');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') unlinkSync(path);
    return false;
  } finally {
    probe.destroy();
  }
}
