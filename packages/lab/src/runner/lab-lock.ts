import { once } from 'node:events';
import { createServer } from 'node:net';

/** Another command is changing the lab. */
export class LabBusyError extends Error {
  override readonly name = 'LabBusyError';
}

/**
 * Holds a lab until disposed, so that two commands do not change it at once. An abstract unix socket: the kernel
 * releases it whatever happens to us, and there is no file to clean up.
 *
 * @throws {LabBusyError} If another command holds it.
 */
export async function lockLab(name: string): Promise<AsyncDisposable> {
  const server = createServer((connection) => connection.destroy());
  server.unref();
  server.listen(`\0overland-lab/${name}`);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new LabBusyError(`another command is changing lab '${name}'`);
  }
  return {
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
