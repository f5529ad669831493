import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MAX_MD5_KEY_OCTETS } from '@overland/linux';
import type { IpAddress, Prefix } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import { peerKey } from '../core/session/peer-changes.ts';

/** How often files are read again, milliseconds: a new key is in force within this time. */
const POLL_MS = 5000;

/** A password that is wanted and cannot be had: no session. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
}

/** A key, or why there is none. */
type Outcome = { readonly key: Uint8Array } | { readonly fault: string };

/** Whom a password is for: a peer, or all who dial from a range. */
interface Holder {
  /** What {@link keyHolder} says of its peers. */
  readonly id: string;
  readonly name: string;
  readonly at: IpAddress | Prefix;
  readonly password: Password;
}

type Password = NonNullable<PeerConfig['password']>;

/** Peers with the same one have their key from one place. */
export function keyHolder(peer: PeerConfig): string {
  return peer.range ?? peerKey(peer);
}

/**
 * The TCP-MD5 keys of the peers and listen ranges that have a password. Keys that lie in files are read again from time to time; a
 * file that cannot be read takes the session away, never its protection.
 */
export class SessionKeys implements Disposable {
  readonly #log: Logger;
  readonly #changed: (holders: ReadonlySet<string>) => void;
  /** By `keyHolder`. */
  #outcomes = new Map<string, Outcome>();
  #holders: readonly Holder[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param changed Told whose key is another one now, or gone, by `keyHolder`. */
  constructor(log: Logger, changed: (holders: ReadonlySet<string>) => void) {
    this.#log = log;
    this.#changed = changed;
  }

  /** Takes over whom there are keys for, and reads them. */
  configure(config: Pick<SpeakerConfig, 'peers' | 'listenRanges'>): void {
    this.#holders = holdersIn(config);
    this.#read();
    const hasFiles = this.#holders.some(({ password }) => 'file' in password);
    if (!hasFiles) this[Symbol.dispose]();
    else this.#timer ??= setInterval(() => this.#poll(), POLL_MS);
  }

  /** @returns `undefined` for a peer without password. @throws {KeyError} If the key cannot be had. */
  keyOf(peer: PeerConfig): Uint8Array | undefined {
    if (!peer.password) return undefined;
    const outcome = this.#outcomes.get(keyHolder(peer));
    if (outcome && 'key' in outcome) return outcome.key;
    throw new KeyError(outcome?.fault ?? 'the password has not been read yet');
  }

  /** By address and range, for sockets that listen: they know no more of who dials. */
  byAddress(): ReadonlyMap<IpAddress | Prefix, Uint8Array> {
    const keys = new Map<IpAddress | Prefix, Uint8Array>();
    for (const { id, at } of this.#holders) {
      const outcome = this.#outcomes.get(id);
      if (outcome && 'key' in outcome && !keys.has(at)) keys.set(at, outcome.key);
    }
    return keys;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #poll(): void {
    const changed = this.#read();
    if (changed.size > 0) this.#changed(changed);
  }

  /** @returns Those for whom the outcome is another one. */
  #read(): ReadonlySet<string> {
    const before = this.#outcomes;
    this.#outcomes = new Map(this.#holders.map(({ id, password }) => [id, outcomeOf(password)]));
    const changed = new Set<string>();
    for (const { id, name } of this.#holders) {
      const [was, is] = [before.get(id), this.#outcomes.get(id)];
      if (!is || same(was, is)) continue;
      if ('fault' in is) this.#log.error({ peer: name, fault: is.fault }, 'no session');
      changed.add(id);
    }
    return changed;
  }
}

function holdersIn({
  peers,
  listenRanges = [],
}: Pick<SpeakerConfig, 'peers' | 'listenRanges'>): Holder[] {
  const holders: Holder[] = [];
  for (const peer of peers) {
    const { name, address: at, password, range } = peer;
    if (password && range === undefined) holders.push({ id: keyHolder(peer), name, at, password });
  }
  for (const { prefix, peer } of listenRanges) {
    const { password } = peer;
    if (password) holders.push({ id: prefix, name: prefix, at: prefix, password });
  }
  return holders;
}

function outcomeOf(password: Password): Outcome {
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
