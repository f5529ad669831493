import { type IpAddress, networkAddress, type Prefix } from '@overland/net';

/** A member of a set of addresses or nets: a prefix of full length is written as an address. */
export function netMember(net: Prefix): Prefix | IpAddress {
  // By its end: sets of many thousands are made anew for a change of one.
  return net.endsWith(net.includes(':') ? '/128' : '/32') ? networkAddress(net) : net;
}

/** A member of a set of ports: `10.65.0.1 . 6 . 80`. @param protocol IP protocol number. */
export function portMember(address: IpAddress, protocol: number, port: number): string {
  return `${address} . ${protocol} . ${port}`;
}
