import { closeSync, mkdirSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs';
import { flock, mount, setns, umount2, unshare } from './libc.ts';
import { KernelError } from './ports.ts';

/** Where `ip netns` keeps named network namespaces: one bind-mounted file each. */
const DIRECTORY = '/run/netns';
/** The namespace of the calling thread; /proc/self would be the main thread's. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

const CLONE_NEWNET = 0x4000_0000;
const MS = { bind: 0x1000, recursive: 0x4000, shared: 0x10_0000 } as const;
const MNT_DETACH = 2;
const LOCK_EX = 2;

/** Path of the named namespace `name`, whether or not it exists. */
export function namespacePath(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/')) {
    throw new RangeError(`${JSON.stringify(name)} cannot name a network namespace`);
  }
  return `${DIRECTORY}/${name}`;
}

/**
 * Creates a named network namespace that `ip netns` sees too. Its loopback interface is down.
 *
 * @returns Its path.
 * @throws {KernelError} EEXIST if the name is taken.
 */
export function createNamespace(name: string): string {
  const path = namespacePath(name);
  shareDirectory();
  closeSync(kernelErrors(`create namespace ${name}`, () => openSync(path, 'wx', 0o444)));
  try {
    restoring(() => {
      unshare(CLONE_NEWNET);
      mount(OWN_NAMESPACE, path, MS.bind);
    });
  } catch (error) {
    unlinkSync(path);
    throw error;
  }
  return path;
}

/** Removes the name. The namespace itself lives on while a process, a socket or a descriptor holds it. */
export function deleteNamespace(name: string): void {
  const path = namespacePath(name);
  try {
    umount2(path, MNT_DETACH);
  } catch (error) {
    // EINVAL: a leftover file that nothing is mounted on.
    if (!(error instanceof KernelError) || !['ENOENT', 'EINVAL'].includes(error.code)) throw error;
  }
  try {
    kernelErrors(`delete namespace ${name}`, () => unlinkSync(path));
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'ENOENT') throw error;
  }
}

/** Names of the named namespaces, sorted. */
export function listNamespaces(): string[] {
  try {
    return kernelErrors('list namespaces', () => readdirSync(DIRECTORY)).toSorted();
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * What tells namespaces apart, whatever path leads to them: device and inode of the nsfs file.
 *
 * @returns `undefined` if the path does not exist, or is a leftover that is no namespace any more.
 */
export function namespaceIdentity(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  const own = statSync(OWN_NAMESPACE, { bigint: true });
  return found?.dev === own.dev ? `${found.dev}:${found.ino}` : undefined;
}

/**
 * Runs `work` with the calling thread inside a network namespace, then returns to where it was.
 * Sockets opened inside stay there, and `/proc/sys/net` shows that namespace. Only what happens on this
 * thread is inside: no promise, no `fs` callback, no worker.
 *
 * @param namespace Path or open descriptor.
 * @throws {KernelError} ENOENT, EINVAL if there is no such namespace.
 */
export function runInNamespace<T>(namespace: string | number, work: () => Sync<T>): T {
  if (typeof namespace === 'number') {
    return restoring(() => {
      setns(namespace, CLONE_NEWNET);
      return work() as T;
    });
  }
  const fd = openNamespace(namespace);
  try {
    return runInNamespace(fd, work);
  } finally {
    closeSync(fd);
  }
}

/** Refuses `async` work at compile time: it would run outside. */
type Sync<T> = T extends PromiseLike<unknown> ? never : T;

/** Opens a namespace; the descriptor keeps it alive and belongs to the caller. */
export function openNamespace(path: string): number {
  return kernelErrors(`open namespace ${path}`, () => openSync(path, 'r'));
}

/** Runs `work`, which may change the thread's network namespace, and changes it back. */
function restoring<T>(work: () => T): T {
  const home = openSync(OWN_NAMESPACE, 'r');
  try {
    return work();
  } finally {
    // If this fails the thread is lost in a foreign namespace, and so the error must end the process.
    setns(home, CLONE_NEWNET);
    closeSync(home);
  }
}

/**
 * Makes /run/netns a shared mount, as `ip netns` does: then unmounting a namespace unmounts it in every mount
 * namespace, or a daemon with its own would keep it alive. The lock keeps two processes from stacking mounts.
 */
function shareDirectory(): void {
  mkdirSync(DIRECTORY, { recursive: true, mode: 0o755 });
  const lock = openSync(DIRECTORY, 'r');
  try {
    flock(lock, LOCK_EX);
    try {
      mount('', DIRECTORY, MS.shared | MS.recursive);
    } catch (error) {
      if (!(error instanceof KernelError) || error.code !== 'EINVAL') throw error;
      mount(DIRECTORY, DIRECTORY, MS.bind | MS.recursive); // was no mount point
      mount('', DIRECTORY, MS.shared | MS.recursive);
    }
  } finally {
    closeSync(lock);
  }
}

/** Turns errors of `node:fs` into {@link KernelError}. */
function kernelErrors<T>(operation: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new KernelError(code, operation);
  }
}
