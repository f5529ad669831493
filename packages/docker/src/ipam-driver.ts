import {
  contains,
  type Family,
  familyOf,
  hostPrefix,
  type IpAddress,
  networkAddress,
  ParseError,
  parseAddress,
  parseInterfaceAddress,
  parsePrefix,
} from '@overland/net';
import type { DockerHost, Pool } from './docker-host.ts';
import { parsed, releaseAddress, requestAddress, requestPool } from './protocol.ts';
import { RefusalError } from './refusal.ts';

/** Name of our address space, by which a network tells that its addresses are ours. */
export const ADDRESS_SPACE = 'overland';

/** Of the whole family. Docker looks for overlaps with the host's routes in any other that it has not chosen itself. */
const EVERYTHING = { ipv4: '0.0.0.0/0', ipv6: '::/0' } as const;

const GATEWAY = 'com.docker.network.gateway';
const POOL_OPTION = 'pool';

/**
 * Chooses the pool of a network: by its CIDR (`--subnet`), by its name (`--ipam-opt pool=NAME`), or any. The id says
 * all there is to know, so that nothing has to be remembered.
 */
export function poolFor(body: unknown, host: DockerHost): object {
  const request = parsed(requestPool, body);
  const family: Family = request.V6 ? 'ipv6' : 'ipv4';
  if (request.SubPool !== '') {
    throw new RefusalError('--ip-range is not supported: make an IPPool of it');
  }
  const answer = (choice: string, cidr: string) => ({
    PoolID: `${family}/${choice}`,
    Pool: cidr,
    // Every container has the same gateway, which is no address of the pool.
    Data: { [GATEWAY]: EVERYTHING[family] },
  });
  const { [POOL_OPTION]: name, ...others } = request.Options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new RefusalError(`--ipam-opt ${unknown} is not known: there is ${POOL_OPTION}`);
  }
  const subnet = request.Pool === EVERYTHING[family] ? '' : request.Pool;
  if (subnet !== '') {
    const cidr = prefixOf(subnet);
    const pool = host.pools().find((one) => one.cidr === cidr);
    if (pool && (name === undefined || name === pool.name)) return answer(cidr, cidr);
    throw new RefusalError(`the subnet ${subnet} is no IPPool: ${listed(host.pools(), family)}`);
  }
  if (name === undefined) return answer('', EVERYTHING[family]);
  const pool = host.pools().find((one) => one.name === name);
  if (pool && familyOf(networkAddress(pool.cidr)) === family) {
    return answer(pool.name, EVERYTHING[family]);
  }
  throw new RefusalError(
    `--ipam-opt pool=${String(name)} is no ${family} IPPool: ${listed(host.pools(), family)}`,
  );
}

function listed(pools: readonly Pool[], family: Family): string {
  const some = pools.filter(({ cidr }) => familyOf(networkAddress(cidr)) === family).slice(0, 16);
  if (some.length === 0) return `there is no ${family} pool`;
  return `there are ${some.map(({ name, cidr }) => `${name} (${cidr})`).join(', ')}`;
}

function prefixOf(subnet: string): Pool['cidr'] {
  try {
    return parsePrefix(subnet);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new RefusalError(`the subnet ${subnet} must be ${error.allowed}`, { cause: error });
  }
}

/** An address for an endpoint; of a gateway there is none to give. */
export async function addressFor(body: unknown, host: DockerHost): Promise<object> {
  const { PoolID, Address, Options } = parsed(requestAddress, body);
  const [family, pool] = partsOf(PoolID);
  const wanted = isUnspecified(Address) ? undefined : addressOf(Address);
  if (Options.RequestAddressType === GATEWAY) {
    if (wanted === undefined) return { Address: EVERYTHING[family], Data: {} };
    throw new RefusalError(
      `--gateway ${wanted} is not possible: every container has the same gateway; leave it out`,
    );
  }
  if (wanted !== undefined) refuseOutside(host, pool, wanted);
  const address = await host.addresses.assign({
    family,
    ...(pool !== '' && { pool }),
    ...(wanted !== undefined && { address: wanted }),
  });
  return { Address: hostPrefix(address), Data: {} };
}

function refuseOutside(host: DockerHost, choice: string, address: IpAddress): void {
  const pools = host.pools().filter(({ name, cidr }) => [name, cidr, ''].includes(choice));
  if (choice !== '' && !pools.some(({ cidr }) => contains(cidr, address))) {
    throw new RefusalError(`the address ${address} is not of the network's pool ${choice}`);
  }
}

/** Gives an address back, unless an endpoint has it: then it was asked for a second time, in vain. */
export async function giveBack(body: unknown, host: DockerHost): Promise<object> {
  const { Address } = parsed(releaseAddress, body);
  if (isUnspecified(Address)) return {};
  const address = addressOf(Address);
  const isInUse = host.endpoints.all().some(({ addresses }) => addresses.includes(address));
  if (!isInUse) await host.addresses.release(address);
  return {};
}

function partsOf(poolId: string): readonly [Family, string] {
  const [family, ...choice] = poolId.split('/');
  if (family === 'ipv4' || family === 'ipv6') return [family, choice.join('/')];
  throw new RefusalError(`PoolID is ${poolId}: it is none that this driver has given`);
}

function isUnspecified(address: string): boolean {
  return ['', '0.0.0.0', '::'].includes(address.split('/')[0] ?? '');
}

/** @throws {RefusalError} If it is none. */
export function addressOf(text: string): IpAddress {
  try {
    return text.includes('/') ? parseInterfaceAddress(text).address : parseAddress(text);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new RefusalError(`the address is ${text}: it must be ${error.allowed}`, { cause: error });
  }
}
