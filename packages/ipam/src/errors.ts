import type { Family, IpAddress, Prefix } from '@overland/net';

/** A release acts on old knowledge: the address has another holder by now. Nothing was released. */
export class StaleReleaseError extends Error {
  override readonly name = 'StaleReleaseError';
  readonly address: IpAddress;
  readonly field: 'handle' | 'sequence';

  constructor(address: IpAddress, field: 'handle' | 'sequence', expected: string, actual: string) {
    super(`${address} is not released: its ${field} is ${actual || 'unset'}, not ${expected}`);
    this.address = address;
    this.field = field;
  }
}

/** Why one pool gave no address, and what would change that. */
export interface PoolVerdict {
  readonly pool: string;
  /** Absent for a pool that does not exist. */
  readonly cidr?: Prefix;
  /** Why it was passed over, such as `disabled`. */
  readonly reason: string;
  /** What would help, such as `set disabled to false`. */
  readonly remedy: string;
}

/** No pool gives an address. Asking again helps only after someone acted on a remedy. */
export class NoAddressError extends Error {
  override readonly name = 'NoAddressError';
  readonly family: Family;
  readonly verdicts: readonly PoolVerdict[];

  constructor(node: string, family: Family, verdicts: readonly PoolVerdict[]) {
    const label = family === 'ipv4' ? 'IPv4' : 'IPv6';
    const reasons = verdicts.map(
      ({ pool, cidr, reason, remedy }) =>
        `pool ${pool}${cidr ? ` (${cidr})` : ''} ${reason}: ${remedy}`,
    );
    const why = reasons.join('; ') || `there is no ${label} pool; create an IPPool`;
    super(`no ${label} address for node ${node}: ${why}`);
    this.family = family;
    this.verdicts = verdicts;
  }
}

/** The address that was asked for by name cannot be had. */
export class AddressUnavailableError extends Error {
  override readonly name = 'AddressUnavailableError';
  readonly address: IpAddress;

  constructor(address: IpAddress, reason: string) {
    super(`${address} cannot be assigned: ${reason}`);
    this.address = address;
  }
}

/** Others kept changing the same keys: {@link attempts} tries lost. Trying later may help. */
export class ContentionError extends Error {
  override readonly name = 'ContentionError';
  readonly attempts: number;

  constructor(what: string, attempts: number, options?: ErrorOptions) {
    super(`${what}: gave up after ${attempts} tries that others' writes overtook`, options);
    this.attempts = attempts;
  }
}

/** The caller stopped waiting before anything was assigned. Nothing was. */
export class RequestAbandonedError extends Error {
  override readonly name = 'RequestAbandonedError';

  constructor(handle: string) {
    super(`nothing was assigned to ${handle}: its caller stopped waiting`);
  }
}

/** A stored block contradicts itself: nothing is assigned from it or released to it until it is repaired. */
export class InconsistentBlockError extends Error {
  override readonly name = 'InconsistentBlockError';
  readonly cidr: Prefix;

  constructor(cidr: Prefix, fault: string) {
    super(`block ${cidr} contradicts itself: ${fault}`);
    this.cidr = cidr;
  }
}
