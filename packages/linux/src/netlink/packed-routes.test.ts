import { packRoutes, parseAddress, parsePrefix, recordOctets } from '@overland/net';
import { expect, test } from 'vitest';
import type { PackedRoutes, Route } from '../ports.ts';
import { MessageWriter } from './message-writer.ts';
import {
  packedCount,
  packedDestination,
  packedRemoval,
  packedReplacement,
} from './packed-routes.ts';
import { writeRouteRemoval, writeRouteReplacement } from './route-codec.ts';

const DESTINATIONS = {
  ipv4: ['0.0.0.0/0', '10.65.0.64/26', '255.255.255.255/32'],
  ipv6: ['::/0', 'fd65::40/122', '2001:db8:ffff::1/128'],
} as const;

test.each([
  { family: 'ipv4', metric: 20 },
  { family: 'ipv4', metric: 0, source: parseAddress('10.1.0.0') },
  { family: 'ipv6', metric: 0 },
  { family: 'ipv6', metric: 1024, source: parseAddress('fd00::1') },
] as const)('each message is that of the route for itself: $family, metric $metric', (alike) => {
  const routes = DESTINATIONS[alike.family].map((text, at): Route => {
    const target = { type: 'next-hop-object', id: 0xffff_fff0 + at } as const;
    return { ...alike, protocol: 86, destination: parsePrefix(text), target };
  });
  const changes = routes.map(({ destination }, at) => ({
    prefix: destination,
    nextHopSet: 0xffff_fff0 + at,
  }));
  // In the middle of something larger, as a part of a batch is.
  const octets = recordOctets(alike.family);
  const records = packRoutes(alike.family, [...changes.slice(0, 1), ...changes]).subarray(octets);
  const packed: PackedRoutes = { ...alike, protocol: 86, records };

  expect(packedCount(packed)).toBe(routes.length);
  expect(routes.map((_, at) => packedDestination(packed, at))).toEqual(
    routes.map(({ destination }) => destination),
  );
  const [one, other] = [new MessageWriter(), new MessageWriter()];
  const [replace, remove] = [packedReplacement(packed), packedRemoval(packed)];
  for (const [at, route] of routes.entries()) {
    writeRouteReplacement(one, route, { numberOf: () => 0 });
    writeRouteRemoval(one, route);
    replace(other, at);
    remove(other, at);
  }
  one.acknowledge();
  other.acknowledge();
  expect(other.bytes).toEqual(one.bytes);
});
