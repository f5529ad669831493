import type { SpeakerConfig } from '../config.ts';

/** Tags of what JSON has no words for. */
const OCTETS = '$octets';
const INFINITE = '$infinite';
const CONFIG = '$config';

/** Configurations that a trace has told before, by number. */
export class KnownConfigs {
  /** Weakly: whoever records for long does not keep every configuration that there was. */
  readonly #numbers = new WeakMap<object, number>();
  readonly #configs = new Map<number, SpeakerConfig>();
  #last = 0;

  numberOf(config: object): number | undefined {
    return this.#numbers.get(config);
  }

  /** @returns The number of a configuration that had none. */
  add(config: SpeakerConfig): number {
    this.#last += 1;
    this.#numbers.set(config, this.#last);
    return this.#last;
  }

  /** Takes over a number that a trace tells. */
  learn(number: number, config: SpeakerConfig): void {
    this.#numbers.set(config, number);
    this.#configs.set(number, config);
  }

  /** @throws {RangeError} If no such configuration was learned. */
  get(number: unknown): SpeakerConfig {
    const config = typeof number === 'number' ? this.#configs.get(number) : undefined;
    if (!config) throw new RangeError(`there is no configuration ${String(number)}`);
    return config;
  }
}

/**
 * Writes a value as one line: octets in hexadecimal, configurations that are known by their number, and passwords not at all.
 *
 * @param isDefinition The value is a configuration itself.
 */
export function traceText(value: unknown, configs: KnownConfigs, isDefinition = false): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key: string) {
    // As it is, not as a `toJSON` has made it: what comes from sockets has one.
    const part = this[key];
    if (part === Number.POSITIVE_INFINITY) return { [INFINITE]: true };
    if (typeof part !== 'object' || part === null) return part;
    if (part instanceof Uint8Array) return { [OCTETS]: hexOf(part) };
    if (key === 'password' && 'value' in part) return { value: '' };
    const number = isDefinition && key === 'value' ? undefined : configs.numberOf(part);
    return number === undefined ? part : { [CONFIG]: number };
  });
}

/** @throws {SyntaxError | RangeError} If the line is no JSON, or names what is not there. */
export function parseTraceText(line: string, configs: KnownConfigs): unknown {
  return JSON.parse(line, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part;
    if (OCTETS in part) return octetsOf(part[OCTETS]);
    if (INFINITE in part) return Number.POSITIVE_INFINITY;
    if (CONFIG in part) return configs.get(part[CONFIG]);
    return part;
  });
}

function hexOf(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += octet.toString(16).padStart(2, '0');
  return text;
}

function octetsOf(hex: unknown): Uint8Array {
  if (typeof hex !== 'string' || !/^([0-9a-f]{2})*$/.test(hex)) {
    throw new RangeError('octets are not written in hexadecimal');
  }
  const octets = new Uint8Array(hex.length / 2);
  for (let i = 0; i < octets.length; i += 1)
    octets[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return octets;
}
