/** How much of what. */
export interface Scale {
  readonly connections: number;
  /** Of all hosts together. */
  readonly keys: number;
  /** In the hosts' own ranges. */
  readonly changesPerSecond: number;
  readonly commonPerSecond: number;
  readonly seconds: number;
  readonly processes: number;
}

/** Watched by all. */
export const COMMON_PREFIX = '/bench/common/';

/** Written once in each range before anything is measured: who hears of it is watching. */
export function firstKey(prefix: string): string {
  return `${prefix}first`;
}

/** The last change of all, to a key of the common range. */
export const END = `${COMMON_PREFIX}end`;

/** The range of one host. */
export function hostPrefix(host: number): string {
  return `/bench/host/${host}/`;
}

/** The key with a number: hosts in turn. */
export function hostKey({ connections }: Scale, index: number): string {
  return `${hostPrefix(index % connections)}${Math.floor(index / connections)}`;
}

/** Microseconds of a clock that all processes of the machine share. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
