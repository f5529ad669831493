import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MAX_MD5_KEY_OCTETS } from '@overland/linux';
import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig } from '../core/config.ts';
import { peerKey } from '../core/session/peer-changes.ts';

/** How often files are read again, milliseconds: a new key is in force within this time. */
const POLL_MS = 5000;

/** A password that is wanted and cannot be had: no session. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** A key, or why there is none. */
type Outcome = { readonly key: Uint8Array } | { readonly fault: string };

/**
 * The TCP-MD5 keys of the peers that have a password. Keys that lie in files are read again from time to time; a
 * file that cannot be read takes the session away, never its protection.
 */
export class SessionKeys implements Disposable {
  readonly #log: Logger;
  readonly #changed: (peers: readonly PeerConfig[]) => void;
  /** By `peerKey`. */
  #outcomes = new Map<string, Outcome>();
  #peers: readonly PeerConfig[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param changed Told of peers whose key is another one now, or gone. */
  constructor(log: Logger, changed: (peers: readonly PeerConfig[]) => void) {
    this.#log = log;
    this.#changed = changed;
  }

  /** Takes over whom there are keys for, and reads them. */
  configure(peers: readonly PeerConfig[]): void {
    this.#peers = peers.filter(({ password }) => password !== undefined);
    this.#read();
    const hasFiles = this.#peers.some(({ password }) => password && 'file' in password);
    if (!hasFiles) this[Symbol.dispose]();
    else this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
  }

  /** @returns `undefined` for a peer without password. @throws {KeyError} If the key cannot be had. */
  keyOf(peer: PeerConfig): Uint8Array | undefined {
    if (!peer.password) return undefined;
    const outcome = this.#outcomes.get(peerKey(peer));
    if (outcome && 'key' in outcome) return outcome.key;
    throw new KeyError(outcome?.fault ?? 'the password has not been read yet');
  }

  /** By the peer's address, for sockets that listen: they know no more of who dials. */
  byAddress(): ReadonlyMap<IpAddress, Uint8Array> {
    const keys = new Map<IpAddress, Uint8Array>();
    for (const peer of this.#peers) {
      const outcome = this.#outcomes.get(peerKey(peer));
      if (outcome && 'key' in outcome && !keys.has(peer.address)) {
        keys.set(peer.address, outcome.key);
      }
    }
    return keys;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    const changed = this.#read();
    if (changed.length > 0) this.#changed(changed);
  }

  /** @returns Those for whom the outcome is another one. */
  #read(): PeerConfig[] {
    const before = this.#outcomes;
    this.#outcomes = new Map(this.#peers.map((peer) => [peerKey(peer), outcomeOf(peer)]));
    return this.#peers.filter((peer) => {
      const [was, is] = [before.get(peerKey(peer)), this.#outcomes.get(peerKey(peer))];
      if (!is || same(was, is)) return false;
      if ('fault' in is) this.#log.error({ peer: peer.name, fault: is.fault }, 'no session');
      return true;
    });
  }
}

function outcomeOf({ password }: PeerConfig): Outcome {
  if (!password) return { fault: 'no password' };
  if ('value' in password) return keyFrom(password.value, 'the password');
  const { file } = password;
  try {
    return keyFrom(readFile(file).replace(/\r?\n$/, ''), `the password in ${file}`);
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return { fault: `the password file ${file} cannot be read: ${reason}` };
  }
}

function keyFrom(text: string, what: string): Outcome {
  const key = new TextEncoder().encode(text);
  if (key.length === 0) return { fault: `${what} is empty` };
  if (key.length <= MAX_MD5_KEY_OCTETS) return { key };
  return { fault: `${what} is longer than ${MAX_MD5_KEY_OCTETS} octets` };
}

/** No more of it than shows that it is too long: it may be any file. */
function readFile(file: string): string {
  const fd = openSync(file, 'r');
  try {
    if (!fstatSync(fd).isFile()) throw new Error('not a file');
    const octets = new Uint8Array(MAX_MD5_KEY_OCTETS + 3);
    return new TextDecoder().decode(octets.subarray(0, readSync(fd, octets)));
  } finally {
    closeSync(fd);
  }
}

function same(a: Outcome | undefined, b: Outcome): boolean {
  if (!a) return false;
  if ('fault' in a || 'fault' in b) return 'fault' in a && 'fault' in b && a.fault === b.fault;
  return a.key.length === b.key.length && a.key.every((octet, i) => octet === b.key[i]);
}
