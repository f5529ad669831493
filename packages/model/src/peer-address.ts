import { type IpAddress, ParseError, parseAddress } from '@overland/net';

/** Where a BGP peer listens. */
export interface PeerAddress {
  readonly address: IpAddress;
  /** TCP port; `undefined` if the default is meant. */
  readonly port: number | undefined;
}

/**
 * Parses a BGPPeer's `peerIP`: `10.0.0.1`, `10.0.0.1:1790`, `2001:db8::1`, `[2001:db8::1]:1790`.
 *
 * @throws {ParseError} If it is none of these.
 */
export function parsePeerAddress(text: string): PeerAddress {
  const bracketed = /^\[([^\]]*)\]:(\d{1,5})$/.exec(text) ?? /^([^:]*):(\d{1,5})$/.exec(text);
  if (!bracketed) return { address: parseAddress(text), port: undefined };
  const [, address = '', portText] = bracketed;
  const port = Number(portText);
  if (port < 1 || port > 65535) {
    throw new ParseError('peer address', text, 'a port from 1 to 65535');
  }
  return { address: parseAddress(address), port };
}
