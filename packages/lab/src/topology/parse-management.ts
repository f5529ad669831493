import {
  addressAt,
  contains,
  type Family,
  familyOf,
  type InterfaceAddress,
  type IpAddress,
  ParseError,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixLength,
  prefixSize,
} from '@overland/net';
import type { Path, Report } from './fault.ts';
import { type Notes, readSection } from './read-section.ts';
import { MANAGEMENT_SCHEMA, type ManagementKeys } from './schema.ts';
import type { Management } from './topology.ts';

/** Containerlab's defaults. */
const IPV4_SUBNET = '172.20.20.0/24';
const IPV6_SUBNET = '3fff:172:20:20::/64';
const DEFAULT_MTU = 1500;

/** Reads `mgmt`. Faults are reported; the result is then only good for finding more of them. */
export function parseManagement(value: unknown, notes: Notes): Management {
  const path = ['mgmt'];
  const keys: ManagementKeys =
    value === undefined || value === null
      ? {}
      : (readSection<ManagementKeys>(MANAGEMENT_SCHEMA, value, path, notes) ?? {});
  const subnet = (name: 'ipv4' | 'ipv6', fallback: string): Prefix => {
    const key =
      keys[`${name}-subnet`] === undefined
        ? (`${name}_subnet` as const)
        : (`${name}-subnet` as const);
    return readPrefix(keys[key], [...path, key], { fallback, family: name, report: notes.report });
  };
  const gateway = (name: 'ipv4' | 'ipv6', inside: Prefix): IpAddress => {
    const text = keys[`${name}-gw`];
    const first = addressAt(inside, 1);
    if (text === undefined) return first;
    return readAddressIn(inside, text, [...path, `${name}-gw`], notes.report) ?? first;
  };
  const ipv4Subnet = subnet('ipv4', IPV4_SUBNET);
  const ipv6Subnet = subnet('ipv6', IPV6_SUBNET);
  return {
    ipv4Subnet,
    ipv6Subnet,
    ipv4Gateway: gateway('ipv4', ipv4Subnet),
    ipv6Gateway: gateway('ipv6', ipv6Subnet),
    mtu: Number(keys.mtu ?? DEFAULT_MTU),
  };
}

/** An address for each node: those that the file asks for, and the next free ones for the others. */
export class AddressAllotment {
  readonly subnet: Prefix;
  readonly #holders = new Map<IpAddress, string>();
  #next = 2n;

  constructor(subnet: Prefix, gateway: IpAddress) {
    this.subnet = subnet;
    this.#holders.set(gateway, 'the gateway');
  }

  /** @returns who holds the address already, or `undefined` once it is `holder`'s. */
  reserve(address: IpAddress, holder: string): string | undefined {
    const current = this.#holders.get(address);
    if (current === undefined) this.#holders.set(address, holder);
    return current;
  }

  /** @returns `undefined` if the subnet is exhausted. */
  next(holder: string): InterfaceAddress | undefined {
    for (; this.#next < prefixSize(this.subnet) - 1n; this.#next++) {
      const address = addressAt(this.subnet, this.#next);
      if (this.reserve(address, holder) === undefined) return this.withLength(address);
    }
    return undefined;
  }

  withLength(address: IpAddress): InterfaceAddress {
    return { address, length: prefixLength(this.subnet) };
  }
}

/** An address that must lie in the management subnet; reports if it does not. */
export function readAddressIn(
  subnet: Prefix,
  text: string,
  path: Path,
  report: Report,
): IpAddress | undefined {
  try {
    const address = parseAddress(text);
    if (familyOf(address) === familyOf(subnet) && contains(subnet, address)) return address;
    report(path, `${text} is not in the management subnet ${subnet}`);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    report(path, `'${text}' is not an address`);
  }
  return undefined;
}

interface PrefixReading {
  readonly fallback: string;
  readonly family: Family;
  readonly report: Report;
}

function readPrefix(
  text: string | undefined,
  path: Path,
  { fallback, family, report }: PrefixReading,
): Prefix {
  try {
    const prefix = parsePrefix(text ?? fallback);
    if (familyOf(prefix) === family && prefixSize(prefix) >= 8n) return prefix;
    report(
      path,
      `'${text}' is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} subnet of 8 addresses or more`,
    );
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    report(path, `'${text}' is not a subnet: ${error.message}`);
  }
  return parsePrefix(fallback);
}
