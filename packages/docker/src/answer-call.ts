import type { DockerHost } from './docker-host.ts';
import { ADDRESS_SPACE, addressFor, giveBack, poolFor } from './ipam-driver.ts';
import {
  describeEndpoint,
  joinSandbox,
  leaveSandbox,
  makeEndpoint,
  makeNetwork,
  removeEndpoint,
  removeNetwork,
} from './network-driver.ts';

type Answer = (body: unknown, host: DockerHost) => object | Promise<object>;

const done: Answer = () => ({});

/** The calls of libnetwork's remote drivers for networks and for addresses, by path. */
const CALLS: Readonly<Record<string, Answer>> = {
  'Plugin.Activate': () => ({ Implements: ['NetworkDriver', 'IpamDriver'] }),
  // What hosts share is in the datastore; every host makes the network for itself.
  'NetworkDriver.GetCapabilities': () => ({ Scope: 'local', ConnectivityScope: 'global' }),
  'NetworkDriver.CreateNetwork': makeNetwork,
  'NetworkDriver.DeleteNetwork': removeNetwork,
  'NetworkDriver.CreateEndpoint': makeEndpoint,
  'NetworkDriver.EndpointOperInfo': describeEndpoint,
  'NetworkDriver.DeleteEndpoint': removeEndpoint,
  'NetworkDriver.Join': joinSandbox,
  'NetworkDriver.Leave': leaveSandbox,
  // Ports are published by the endpoint itself.
  'NetworkDriver.ProgramExternalConnectivity': done,
  'NetworkDriver.RevokeExternalConnectivity': done,
  'NetworkDriver.DiscoverNew': done,
  'NetworkDriver.DiscoverDelete': done,
  // A restarted daemon tells which addresses it thinks it has.
  'IpamDriver.GetCapabilities': () => ({ RequiresMACAddress: false, RequiresRequestReplay: true }),
  'IpamDriver.GetDefaultAddressSpaces': () => ({
    LocalDefaultAddressSpace: ADDRESS_SPACE,
    GlobalDefaultAddressSpace: ADDRESS_SPACE,
  }),
  'IpamDriver.RequestPool': poolFor,
  'IpamDriver.ReleasePool': done,
  'IpamDriver.RequestAddress': addressFor,
  'IpamDriver.ReleaseAddress': giveBack,
};

/**
 * Answers one call of Docker's.
 *
 * @param path Without its slash.
 * @returns `undefined`: there is no such call, which Docker is to be told by status 404. What goes wrong is an answer.
 */
export async function answerCall(
  path: string,
  body: unknown,
  host: DockerHost,
): Promise<object | undefined> {
  const answer = Object.hasOwn(CALLS, path) ? CALLS[path] : undefined;
  if (!answer) return undefined;
  try {
    return await answer(body, host);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return path.startsWith('IpamDriver.') ? { Error: message } : { Err: message };
  }
}
