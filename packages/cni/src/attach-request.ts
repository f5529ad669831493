import { ParseError, parseInterfaceAddress } from '@overland/net';
import { type AttachRequest, parseAttachRequest } from '@overland/workloads';
import { CNI_CODE, CniError } from './cni-error.ts';
import type { Environment } from './environment.ts';
import type { Identity } from './identity.ts';
import type { NetworkConfiguration, PortMapping } from './network-configuration.ts';
import type { ForeignResult } from './result.ts';
import { trafficLimitsOf } from './traffic-limits.ts';

type Configuration = NetworkConfiguration;

/** What of an address request comes from configuration and runtime, for the IPAM of ours. */
export interface AddressWishes {
  readonly families?: readonly ('ipv4' | 'ipv6')[];
  readonly addresses?: readonly string[];
  readonly pools?: readonly string[];
}

/** Annotations of a pod that Calico's plugin knows; the runtime tells them if the capability is declared. */
const ANNOTATION = 'cni.projectcalico.org/';

/**
 * The attach that an ADD asks for.
 *
 * @param assigned What another IPAM plugin has answered, if one was asked.
 * @throws {CniError} Code 2 for what is not supported.
 * @throws {InvalidRequestError} Naming the fields that are wrong.
 */
export function attachRequestOf(
  configuration: Configuration,
  environment: Environment,
  identity: Identity,
  assigned: ForeignResult | undefined,
): AttachRequest {
  refuseUnsupported(configuration);
  const { containerId, ifname, netns } = environment;
  const { orchestrator, namespace, name, labels, profile } = identity;
  const { mtu, include_default_routes: withDefaults } = configuration;
  const ports = portsOf(configuration);
  const qosControls = trafficLimitsOf(configuration);
  const mac = macOf(configuration, environment);
  const routes = assigned && !withDefaults ? assigned.routes.map(({ dst }) => dst) : [];
  return parseAttachRequest({
    containerId,
    interface: ifname,
    namespacePath: netns,
    name,
    namespace,
    orchestrator,
    labels,
    profiles: [profile.metadata.name],
    network: configuration.name,
    ...(assigned
      ? { foreignAddresses: assigned.ips.map(({ address }) => addressOf(address, 'ips')) }
      : addressWishes(configuration, environment)),
    ...(routes.length > 0 && { routes }),
    ...(mac !== undefined && { mac }),
    ...(mtu && { mtu }),
    ...(ports.length > 0 && { ports }),
    ...(qosControls && { qosControls }),
  });
}

function refuseUnsupported({ runtimeConfig }: Configuration): void {
  if (!runtimeConfig?.netOutRules?.length) return;
  throw new CniError(
    CNI_CODE.unsupportedField,
    'runtimeConfig.netOutRules is not supported: write a GlobalNetworkPolicy',
  );
}

/**
 * Where the addresses shall come from. The runtime's word counts more than that of `args`, that more than the
 * pod's annotations, and those more than CNI_ARGS.
 *
 * @throws {CniError} Code 7 for what is no address.
 */
export function addressWishes(
  configuration: Configuration,
  environment: Environment,
): AddressWishes {
  const { ipam, runtimeConfig, args } = configuration;
  const annotation = annotations(configuration);
  const fromArgs = environment.args.ip?.split(',');
  const ips = [runtimeConfig?.ips, args?.cni?.ips, annotation('ipAddrs'), fromArgs].find(
    (list) => list && list.length > 0,
  );
  const pools = [
    ...(annotation('ipv4pools') ?? ipam?.ipv4_pools ?? []),
    ...(annotation('ipv6pools') ?? ipam?.ipv6_pools ?? []),
  ];
  const families = familiesOf(ipam);
  return {
    ...(families && { families }),
    ...(ips && { addresses: ips.map((ip) => addressOf(ip, 'ips')) }),
    ...(pools.length > 0 && { pools }),
  };
}

/** Calico's IPAM gives IPv4 alone if nothing is said; ours every family that has a pool. */
function familiesOf(ipam: Configuration['ipam']): ('ipv4' | 'ipv6')[] | undefined {
  const isCalico = ipam?.type === 'calico-ipam';
  const { assign_ipv4: ipv4, assign_ipv6: ipv6 } = ipam ?? {};
  if (!isCalico && ipv4 === undefined && ipv6 === undefined) return undefined;
  const families: ('ipv4' | 'ipv6')[] = [];
  if (ipv4 ?? true) families.push('ipv4');
  if (ipv6 ?? !isCalico) families.push('ipv6');
  if (families.length > 0) return families;
  throw new CniError(
    CNI_CODE.invalidConfiguration,
    'ipam.assign_ipv4 and ipam.assign_ipv6 are both false: no address is left',
  );
}

function macOf(
  configuration: Configuration,
  { args: environment }: Environment,
): string | undefined {
  const { runtimeConfig, args } = configuration;
  const given = runtimeConfig?.mac ?? args?.cni?.mac ?? annotations(configuration).text('hwAddr');
  return (given || environment.mac)?.toLowerCase();
}

function portsOf({ runtimeConfig, args }: Configuration): object[] {
  const mesos = args?.['org.apache.mesos']?.network_info?.port_mappings ?? [];
  return [...(runtimeConfig?.portMappings ?? []), ...mesos].map(portOf);
}

function portOf({ hostPort, containerPort, protocol, hostIP }: PortMapping): object {
  return {
    port: containerPort,
    protocol: protocol.toUpperCase(),
    ...(hostPort > 0 && { hostPort }),
    ...(hostIP !== '' && { hostIP }),
  };
}

/** Looks up a list of Calico's annotations; `text` one that is no list. */
function annotations({ runtimeConfig }: Configuration) {
  const found = runtimeConfig?.['io.kubernetes.cri.pod-annotations'] ?? {};
  const text = (name: string): string | undefined => found[ANNOTATION + name];
  const list = (name: string): string[] | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const parsed = parseList(value);
    if (parsed) return parsed;
    throw new CniError(
      CNI_CODE.invalidConfiguration,
      `the annotation ${ANNOTATION}${name} is '${value.slice(0, 200)}'; it must be a JSON list of texts`,
    );
  };
  return Object.assign(list, { text });
}

function parseList(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isList = Array.isArray(value) && value.every((item) => typeof item === 'string');
    return isList ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `10.65.0.7` and `10.65.0.7/24` are the same wish: a workload's address stands alone. */
function addressOf(text: string, field: string): string {
  try {
    return parseInterfaceAddress(text).address;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new CniError(
      CNI_CODE.invalidConfiguration,
      `${field} has '${text}': it must be ${error.allowed}`,
    );
  }
}
