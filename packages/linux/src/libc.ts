import koffi from 'koffi';
import { KernelError } from './ports.ts';

/**
 * The C library functions that Node does not offer. This file is the only one that knows how they are called
 * (koffi), so that `node:ffi` can take its place. All calls but one are synchronous and belong to the calling thread.
 *
 * `null` selects the symbols of the process itself: glibc and musl alike.
 */
const library = koffi.load(null);

type Fd = number;

const native = {
  socket: library.func('int socket(int domain, int type, int protocol)'),
  socketpair: library.func('int socketpair(int domain, int type, int protocol, _Out_ int *fds)'),
  bind: library.func('int bind(int fd, void *address, unsigned int length)'),
  getsockname: library.func('int getsockname(int fd, void *address, _Inout_ unsigned int *length)'),
  setsockopt: library.func(
    'int setsockopt(int fd, int level, int name, void *value, unsigned int length)',
  ),
  getsockopt: library.func(
    'int getsockopt(int fd, int level, int name, void *value, _Inout_ unsigned int *length)',
  ),
  send: library.func('long send(int fd, void *bytes, size_t length, int flags)'),
  sendto: library.func(
    'long sendto(int fd, void *bytes, size_t length, int flags, void *address, unsigned int addressLength)',
  ),
  recv: library.func('long recv(int fd, void *bytes, size_t length, int flags)'),
  close: library.func('int close(int fd)'),
  ifNametoindex: library.func('unsigned int if_nametoindex(const char *name)'),
  dup2: library.func('int dup2(int from, int to)'),
  setns: library.func('int setns(int fd, int type)'),
  unshare: library.func('int unshare(int flags)'),
  mount: library.func(
    'int mount(const char *source, const char *target, const char *type, unsigned long flags, void *data)',
  ),
  umount2: library.func('int umount2(const char *target, int flags)'),
  flock: library.func('int flock(int fd, int operation)'),
  schedSetscheduler: library.func('int sched_setscheduler(int pid, int policy, void *param)'),
};

/** @throws {KernelError} With the errno of the call that has just returned -1. */
function checked(result: unknown, operation: string): number {
  // errno is per thread and koffi's own next call may overwrite it: read it before anything else.
  if (result === -1) throw new KernelError(errorName(koffi.errno()), operation);
  return Number(result);
}

export function socket(domain: number, type: number, protocol: number): Fd {
  return checked(native.socket(domain, type, protocol), 'socket');
}

export function socketpair(domain: number, type: number): readonly [Fd, Fd] {
  const fds = [-1, -1];
  checked(native.socketpair(domain, type, 0, fds), 'socketpair');
  return [fds[0] ?? -1, fds[1] ?? -1];
}

/** @param address A `struct sockaddr_*`. */
export function bind(fd: Fd, address: Uint8Array): void {
  checked(native.bind(fd, address, address.length), 'bind');
}

/** Fills `address` with the own address of the socket. */
export function getsockname(fd: Fd, address: Uint8Array): void {
  checked(native.getsockname(fd, address, [address.length]), 'getsockname');
}

/** Attaches a classic BPF program to a socket. @param program Of `struct sock_filter`, 8 octets each. */
export function attachFilter(fd: Fd, program: Uint8Array): void {
  const [SOL_SOCKET, SO_ATTACH_FILTER] = [1, 26];
  const filter = new DataView(new ArrayBuffer(16)); // struct sock_fprog: length (2), padding (6), pointer (8)
  filter.setUint16(0, program.length / 8, true);
  filter.setBigUint64(8, koffi.address(program), true);
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, new Uint8Array(filter.buffer));
}

/** @param value A 32-bit integer, or the bytes of the option's struct. */
export function setsockopt(
  fd: Fd,
  level: number,
  name: number,
  value: number | Uint8Array | Int32Array,
): void {
  const option = typeof value === 'number' ? Int32Array.of(value) : value;
  const result = native.setsockopt(fd, level, name, option, option.byteLength);
  checked(result, `setsockopt ${level}/${name}`);
}

/** Of an option that is a 32-bit integer. */
export function getsockopt(fd: Fd, level: number, name: number): number {
  const option = new Int32Array(1);
  const result = native.getsockopt(fd, level, name, option, [option.byteLength]);
  checked(result, `getsockopt ${level}/${name}`);
  return option[0] ?? 0;
}

/** @param value What is asked, where the option wants that; the answer afterwards. */
export function getsockoptBytes(fd: Fd, level: number, name: number, value: Uint8Array): void {
  const result = native.getsockopt(fd, level, name, value, [value.byteLength]);
  checked(result, `getsockopt ${level}/${name}`);
}

/** @returns Bytes sent. */
export function send(fd: Fd, bytes: Uint8Array): number {
  return checked(native.send(fd, bytes, bytes.length, 0), 'send');
}

/**
 * As {@link send}, in another thread: for what keeps its caller waiting.
 *
 * @param bytes Not to be changed before this resolves.
 */
export function sendAside(fd: Fd, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    native.send.async(fd, bytes, bytes.length, 0, (error: unknown, sent: unknown) => {
      if (error) reject(error);
      // What the call has left in errno belongs to the other thread.
      else if (sent === bytes.length) resolve();
      else reject(new KernelError('EIO', 'send'));
    });
  });
}

/** Number of an interface of the thread's network namespace. @throws {KernelError} ENODEV. */
export function interfaceIndex(name: string): number {
  const index = native.ifNametoindex(name);
  return checked(index === 0 ? -1 : index, `if_nametoindex ${name}`);
}

/** @param address A `struct sockaddr_*`. @returns Bytes sent. */
export function sendto(fd: Fd, bytes: Uint8Array, address: Uint8Array): number {
  return checked(native.sendto(fd, bytes, bytes.length, 0, address, address.length), 'sendto');
}

/** @returns Bytes received, or with MSG_TRUNC the true size of the datagram. */
export function recv(fd: Fd, bytes: Uint8Array, flags: number): number {
  return checked(native.recv(fd, bytes, bytes.length, flags), 'recv');
}

/**
 * Closes a descriptor that came from here. Not for those of `node:fs`, and `fs.closeSync` not for these: a worker
 * keeps a list of what `fs` opened, and warns.
 */
export function close(fd: Fd): void {
  checked(native.close(fd), 'close');
}

export function dup2(from: Fd, to: Fd): void {
  checked(native.dup2(from, to), 'dup2');
}

/** Moves the calling thread into the namespace that `fd` refers to. */
export function setns(fd: Fd, type: number): void {
  checked(native.setns(fd, type), 'setns');
}

/** Gives the calling thread namespaces of its own. */
export function unshare(flags: number): void {
  checked(native.unshare(flags), 'unshare');
}

export function mount(source: string, target: string, flags: number): void {
  checked(native.mount(source, target, 'none', flags, null), `mount ${target}`);
}

export function umount2(target: string, flags: number): void {
  checked(native.umount2(target, flags), `umount ${target}`);
}

export function flock(fd: Fd, operation: number): void {
  checked(native.flock(fd, operation), 'flock');
}

/** SCHED_FIFO for the calling thread; its children start as ordinary ones. @param priority 1..99. */
export function setRealTimeScheduling(priority: number): void {
  const [SCHED_FIFO, SCHED_RESET_ON_FORK] = [1, 0x4000_0000];
  const policy = SCHED_FIFO | SCHED_RESET_ON_FORK;
  checked(native.schedSetscheduler(0, policy, Int32Array.of(priority)), 'sched_setscheduler');
}

/** Second names of the same number; the kernel's documentation uses the other one. */
const ALIASES = new Set(['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK']);

const ERROR_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(koffi.os.errno)
    .filter(([name]) => !ALIASES.has(name))
    .map(([name, number]) => [number, name]),
);

/** `ENODEV` for 19. Numbers without a name come back as `E524`. */
export function errorName(number: number): string {
  return ERROR_NAMES.get(number) ?? `E${number}`;
}
