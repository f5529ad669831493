import { contains, familyOf, hostPrefix, type Prefix } from '@overland/net';
import { networkProfile, parseHandoverRequest } from '@overland/workloads';
import type { DockerHost } from './docker-host.ts';
import { collidesWith, givenLabels, publishedPorts } from './endpoint-options.ts';
import { ADDRESS_SPACE, addressOf } from './ipam-driver.ts';
import { networkOptions } from './network-options.ts';
import {
  createEndpoint,
  createNetwork,
  endpointOnly,
  join,
  networkOnly,
  parsed,
} from './protocol.ts';
import { attachmentOf, type DockerEndpoint, type DockerNetwork } from './records.ts';
import { RefusalError } from './refusal.ts';

/** A destination that is on the link; Docker knows next hops (0), too. */
const CONNECTED = 1;

export async function makeNetwork(body: unknown, host: DockerHost): Promise<object> {
  const { NetworkID: id, Options, IPv4Data, IPv6Data } = parsed(createNetwork, body);
  if ([...IPv4Data, ...IPv6Data].some(({ AddressSpace }) => AddressSpace !== ADDRESS_SPACE)) {
    throw new RefusalError(
      'the addresses must be those of the fabric: give --ipam-driver the name of this driver, too',
    );
  }
  await host.networks.write({ version: 1, id, ...networkOptions(Options) });
  return {};
}

export async function removeNetwork(body: unknown, host: DockerHost): Promise<object> {
  await host.networks.remove(parsed(networkOnly, body).NetworkID);
  return {};
}

/** Writes down what the endpoint is to be. Nothing of it exists before it joins a container. */
export async function makeEndpoint(body: unknown, host: DockerHost): Promise<object> {
  const { NetworkID, EndpointID: id, Interface, Options } = parsed(createEndpoint, body);
  networkOf(NetworkID, host);
  const addresses = [Interface.Address, Interface.AddressIPv6].filter(Boolean).map(addressOf);
  const others = host.endpoints.all().filter((other) => other.id !== id);
  for (const address of addresses) {
    if (others.some((other) => other.addresses.includes(address))) {
      throw new RefusalError(`the address ${address} belongs to another container`);
    }
    if (!host.addresses.isHeld(address)) {
      throw new RefusalError(`the address ${address} was not requested before`);
    }
  }
  if (addresses.length === 0) throw new RefusalError('the endpoint has no address');
  const taken = others.flatMap(({ ports }) => ports);
  const labels = givenLabels(Options);
  await host.endpoints.write({
    version: 1,
    id,
    networkId: NetworkID,
    addresses,
    mac: Interface.MacAddress.toLowerCase() || macOf(id),
    ports: publishedPorts(Options, (port) => taken.some(collidesWith(port))),
    ...(labels && { labels }),
  });
  // Only what came empty may be answered.
  return { Interface: Interface.MacAddress === '' ? { MacAddress: macOf(id) } : {} };
}

/** Locally administered, unicast, as random as the id. */
function macOf(endpointId: string): string {
  const digits = endpointId.replaceAll(/[^0-9a-f]/g, '0');
  return ['02', ...[0, 2, 4, 6, 8].map((at) => digits.slice(at, at + 2))].join(':');
}

/** Makes the link, whose one end Docker then moves into the container and gives its address. */
export async function joinSandbox(body: unknown, host: DockerHost): Promise<object> {
  const { NetworkID, EndpointID, SandboxKey } = parsed(join, body);
  const endpoint = endpointOf(EndpointID, host);
  const network = await namedNetwork(networkOf(NetworkID, host), host);
  const profile = networkProfile(network.name);
  if (!profile) {
    throw new RefusalError(
      `the network's name ${network.name} cannot be that of a profile, which is lower-case letters, digits and '-': create it with -o overland.network=NAME`,
    );
  }
  const isFurther = furtherRoutes(endpoint, SandboxKey, host);
  const isUnidentified = !endpoint.labels && host.asksForLabels;
  const joined: DockerEndpoint = { ...endpoint, sandbox: SandboxKey, isUnidentified };
  await host.endpoints.write(joined);
  const request = parseHandoverRequest({
    ...attachmentOf(EndpointID),
    handover: true,
    isUnidentified,
    namespacePath: SandboxKey,
    orchestrator: 'libnetwork',
    name: EndpointID.slice(0, 12),
    labels: { ...endpoint.labels },
    profiles: [profile.metadata.name],
    network: network.name,
    foreignAddresses: [...endpoint.addresses],
    mac: endpoint.mac,
    ...(network.mtu !== undefined && { mtu: network.mtu }),
    ...(endpoint.ports.length > 0 && { ports: [...endpoint.ports] }),
  });
  const attached = await host.attach(request, profile);
  if (isUnidentified) host.identifySoon(EndpointID);
  const { ipv4, ipv6 } = attached.gateways;
  const common = {
    InterfaceName: { SrcName: attached.handoverInterface, DstPrefix: 'eth' },
    // Without a gateway of ours Docker would add a bridge of its own.
    DisableGatewayService: true,
  };
  if (isFurther) return { ...common, StaticRoutes: isFurther.map(connected) };
  return {
    ...common,
    ...(ipv4 && { Gateway: ipv4 }),
    ...(ipv6 && { GatewayIPv6: ipv6 }),
    // The kernel makes the way to a link-local gateway only when the host's end is up; Docker wants it before.
    StaticRoutes: [ipv4, ipv6].flatMap((gateway) =>
      gateway ? [connected(hostPrefix(gateway))] : [],
    ),
  };
}

function connected(destination: Prefix): object {
  return { Destination: destination, RouteType: CONNECTED, NextHop: '' };
}

/**
 * The first network of a container leads everywhere. A further one leads to its own pool, where the host answers for
 * its addresses: a second way to the same gateway cannot be told to Docker.
 *
 * @returns `undefined`: it is the first.
 * @throws {RefusalError} If an earlier network of the container has the same pool.
 */
function furtherRoutes(
  endpoint: DockerEndpoint,
  sandbox: string,
  host: DockerHost,
): readonly Prefix[] | undefined {
  const earlier = host.endpoints
    .all()
    .filter((one) => one.sandbox === sandbox && one.id !== endpoint.id);
  if (earlier.length === 0) return undefined;
  const poolsOf = ({ addresses }: DockerEndpoint): Prefix[] =>
    host
      .pools()
      .filter(({ cidr }) => addresses.some((address) => contains(cidr, address)))
      .map(({ cidr }) => cidr);
  const taken = new Set(earlier.flatMap(poolsOf));
  const own = poolsOf(endpoint);
  for (const cidr of own) {
    if (!taken.has(cidr)) continue;
    throw new RefusalError(
      `the container has an address of the pool ${cidr} already, by another network: give one of the networks a pool of its own (--subnet)`,
    );
  }
  return own.filter((cidr) => familyOf(cidr) === 'ipv4');
}

/** The network's name counts; Docker does not tell it when a network is made. */
async function namedNetwork(
  network: DockerNetwork,
  host: DockerHost,
): Promise<DockerNetwork & { readonly name: string }> {
  const { name } = network;
  if (name !== undefined) return { ...network, name };
  const named = { ...network, name: await host.networkName(network.id) };
  await host.networks.write(named);
  return named;
}

/** The container is off the network when this returns. */
export async function leaveSandbox(body: unknown, host: DockerHost): Promise<object> {
  const { EndpointID } = parsed(endpointOnly, body);
  await host.detach(attachmentOf(EndpointID));
  const endpoint = host.endpoints.get(EndpointID);
  if (endpoint) {
    const { sandbox: _, isUnidentified: __, ...left } = endpoint;
    await host.endpoints.write(left);
  }
  return {};
}

export async function removeEndpoint(body: unknown, host: DockerHost): Promise<object> {
  const { EndpointID } = parsed(endpointOnly, body);
  await host.detach(attachmentOf(EndpointID));
  await host.endpoints.remove(EndpointID);
  return {};
}

/** What there is to tell of an endpoint: nothing that Docker would show. */
export async function describeEndpoint(body: unknown, host: DockerHost): Promise<object> {
  endpointOf(parsed(endpointOnly, body).EndpointID, host);
  return { Value: {} };
}

function networkOf(id: string, host: DockerHost): DockerNetwork {
  const network = host.networks.get(id);
  if (network) return network;
  throw new RefusalError(
    `the driver does not know the network ${id.slice(0, 12)}: remove it and create it again`,
  );
}

function endpointOf(id: string, host: DockerHost): DockerEndpoint {
  const endpoint = host.endpoints.get(id);
  if (endpoint) return endpoint;
  throw new RefusalError(`the driver does not know the endpoint ${id.slice(0, 12)}`);
}
