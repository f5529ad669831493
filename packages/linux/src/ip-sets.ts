import type { Family } from '@overland/net';

/** A set of ipset. `hash:net` holds single addresses as well. */
export interface IpSet {
  /** At most 31 octets. */
  readonly name: string;
  readonly type: 'hash:net' | 'hash:ip,port';
  readonly family: Family;
}

/** What there is under a name, whoever made it. */
export interface FoundIpSet {
  readonly name: string;
  /** `hash:net`, `list:set`, `bitmap:port`, … */
  readonly type: string;
  readonly family: Family | undefined;
}

/**
 * The sets of ipset of one network namespace. Members are canonical text: `10.65.0.1`, `10.0.0.0/8` (never of length
 * zero), `fd00::1`; of ports with protocol number, `10.65.0.1,6:80`.
 *
 * All operations throw a {@link KernelError}, or what they say.
 */
export interface IpSets {
  /** By name, in order. */
  list(): Promise<FoundIpSet[]>;
  /** @throws {KernelError} ENOENT if there is no such set. */
  members(name: string): Promise<Set<string>>;
  /** No change if it is there and of the same type. @throws {KernelError} EEXIST if it is of another. */
  create(set: IpSet): Promise<void>;
  /** Removing what is absent is no error. @throws {KernelError} EBUSY while a rule asks it. */
  destroy(name: string): Promise<void>;
  /**
   * Changes members one by one: packets may meet any state between. Adding what is there and removing what is absent is no
   * error.
   *
   * @throws {KernelError} ENOENT if there is no such set; ENOSPC if it is full. Some members may have changed.
   * @throws {ParseError} If the text is no member.
   */
  change(name: string, change: IpSetChange): Promise<void>;
}

export interface IpSetChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Members that one set may have: Calico's `maxIpsetSize`. */
export const MAX_IP_SET_MEMBERS = 1_048_576;
