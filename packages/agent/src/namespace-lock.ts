import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';

/** The network namespace has an agent already: exit code 2. */
export class NamespaceTakenError extends Error {
  override readonly name = 'NamespaceTakenError';
}

/**
 * Abstract unix sockets are named per network namespace, and the kernel frees the name when the holder dies,
 * however it dies. That is exactly the lock we need: one agent per network namespace.
 */
const LOCK_NAME = '\0overland-agent';

/**
 * Holds this network namespace.
 *
 * @param holder Told to whoever comes second: `node host11, pid 4711`.
 * @throws {NamespaceTakenError} If another agent holds it; says which.
 */
export async function holdNamespace(holder: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Destroyed, not only ended: one who does not hang up would keep us from stopping.
    socket.end(holder, () => socket.destroy());
  });
  server.listen(LOCK_NAME);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new NamespaceTakenError(
      `this network namespace has an agent already: ${await askHolder()}`,
      { cause: error },
    );
  }
  server.unref();
  return { [Symbol.asyncDispose]: () => close(server) };
}

async function askHolder(): Promise<string> {
  const socket = connect(LOCK_NAME);
  socket.setTimeout(1000, () => socket.destroy(new Error('no answer')));
  return await text(socket).catch(() => 'it does not answer');
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
