import {
  ADDRESS_OCTETS,
  addressFromBytes,
  hostPrefix,
  type Prefix,
  prefixFromBytes,
  recordOctets,
} from '@overland/net';
import type { PackedRoutes, Route } from '../ports.ts';
import { HEADER_OCTETS, LITTLE_ENDIAN, MessageWriter } from './message-writer.ts';
import { RTN, writeRouteRemoval, writeRouteReplacement } from './route-codec.ts';

/** Where in a message of ours what differs between routes is: `struct rtmsg`, then RTA_DST as the first attribute. */
const LENGTH_OFFSET = HEADER_OCTETS + 1;
const TYPE_OFFSET = HEADER_OCTETS + 7;
const ADDRESS_OFFSET = HEADER_OCTETS + 16;

/** More than a message of ours has: one is encoded for each call. */
const TEMPLATE_OCTETS = 128;

/** Routes in the records. */
export function packedCount({ family, records }: PackedRoutes): number {
  return records.length / recordOctets(family);
}

/** Destination of the route at a place, for people. */
export function packedDestination({ family, records }: PackedRoutes, at: number): Prefix {
  const width = ADDRESS_OCTETS[family];
  const from = at * recordOctets(family);
  return prefixFromBytes(records.subarray(from, from + width), records[from + width] ?? 0);
}

/**
 * Writes {@link writeRouteReplacement}'s message of the route at a place. The message is encoded once; routes differ in a
 * few octets of it.
 */
export function packedReplacement(
  routes: PackedRoutes,
): (writer: MessageWriter, at: number) => void {
  const message = encoded((writer) => {
    writeRouteReplacement(writer, likeAll(routes), { numberOf: () => 0 });
  });
  const view = new DataView(message.buffer);
  const setDestination = destinationSetter(routes, message);
  const { records } = routes;
  const numbers = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const octets = recordOctets(routes.family);
  return (writer, at) => {
    setDestination(at);
    const object = numbers.getUint32((at + 1) * octets - 4);
    message[TYPE_OFFSET] = object === 0 ? RTN.blackhole : RTN.unicast;
    // The last attribute; the kernel takes 0 as "none".
    view.setUint32(message.length - 4, object, LITTLE_ENDIAN);
    writer.copy(message);
  };
}

/** {@link writeRouteRemoval} in the same way. */
export function packedRemoval(routes: PackedRoutes): (writer: MessageWriter, at: number) => void {
  const message = encoded((writer) => writeRouteRemoval(writer, likeAll(routes)));
  const setDestination = destinationSetter(routes, message);
  return (writer, at) => {
    setDestination(at);
    writer.copy(message);
  };
}

function encoded(write: (writer: MessageWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter(0, TEMPLATE_OCTETS);
  write(writer);
  return new Uint8Array(writer.bytes);
}

/** A route with what all have in common, and another destination and object. */
function likeAll({ family, records: _, ...alike }: PackedRoutes): Route {
  const destination = hostPrefix(addressFromBytes(new Uint8Array(ADDRESS_OCTETS[family])));
  return { ...alike, destination, target: { type: 'next-hop-object', id: 1 } };
}

function destinationSetter(
  { family, records }: PackedRoutes,
  message: Uint8Array,
): (at: number) => void {
  const width = ADDRESS_OCTETS[family];
  const octets = recordOctets(family);
  return (at) => {
    const from = at * octets;
    for (let i = 0; i < width; i++) message[ADDRESS_OFFSET + i] = records[from + i] ?? 0;
    message[LENGTH_OFFSET] = records[from + width] ?? 0;
  };
}
