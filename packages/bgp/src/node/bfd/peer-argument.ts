import { type IpAddress, isLinkLocal, ParseError, parseAddress } from '@overland/net';
import type { BfdPeer } from './bfd-peer.ts';
import { DEFAULT_BFD_SETTINGS } from './default-settings.ts';

/** A `--peer` of `overland bfd run` is wrong. */
export class PeerArgumentError extends Error {
  override readonly name = 'PeerArgumentError';
}

const KNOWN = ['tx', 'rx', 'multiplier', 'passive', 'multihop', 'min-ttl', 'local'];

/**
 * Reads `ADDRESS[%DEVICE][,tx=MS][,rx=MS][,multiplier=N][,passive][,multihop][,min-ttl=N][,local=ADDRESS]`.
 *
 * @throws {PeerArgumentError} Saying what is wrong.
 */
export function parsePeerArgument(text: string): BfdPeer {
  const [end = '', ...words] = text.split(',');
  const [address = '', device] = end.split('%');
  const options = new Map(words.map(keyAndValue));
  const unknown = [...options.keys()].find((key) => !KNOWN.includes(key));
  if (unknown !== undefined) throw new PeerArgumentError(`unknown option ${unknown} in ${text}`);
  const number = (key: string, least: number, most: number): number | undefined => {
    if (!options.has(key)) return undefined;
    const value = Number(options.get(key) || Number.NaN);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new PeerArgumentError(
      `${key} in ${text} must be a whole number from ${least} to ${most}`,
    );
  };
  const peer = read(address);
  const multihop = options.has('multihop');
  const minTtl = number('min-ttl', 1, 255);
  const local = options.get('local');
  if (minTtl !== undefined && !multihop) {
    throw new PeerArgumentError(`min-ttl in ${text} is for multihop: a single hop has 255`);
  }
  if (isLinkLocal(peer) && device === undefined) {
    throw new PeerArgumentError(`${address} is link-local: name the interface, ${address}%eth0`);
  }
  const [transmitMs, receiveMs] = [number('tx', 10, 60_000), number('rx', 10, 60_000)];
  return {
    peer,
    ...(device === undefined ? {} : { device }),
    ...(local === undefined ? {} : { localAddress: read(local) }),
    multihop,
    ...(minTtl === undefined ? {} : { minTtl }),
    settings: {
      ...DEFAULT_BFD_SETTINGS,
      ...(transmitMs === undefined ? {} : { transmitIntervalUs: transmitMs * 1000 }),
      ...(receiveMs === undefined ? {} : { receiveIntervalUs: receiveMs * 1000 }),
      detectMultiplier: number('multiplier', 1, 255) ?? DEFAULT_BFD_SETTINGS.detectMultiplier,
      passive: options.has('passive'),
    },
  };
}

/** `passive` has the value ''. */
function keyAndValue(word: string): [key: string, value: string] {
  const [key = '', value = ''] = word.split('=', 2);
  return [key, value];
}

function read(text: string): IpAddress {
  try {
    return parseAddress(text);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new PeerArgumentError(error.message);
  }
}
