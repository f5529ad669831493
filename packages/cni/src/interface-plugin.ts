import { familyOf, hostPrefix, WORKLOAD_LINK } from '@overland/net';
import type { AttachedWorkload, AttachRequest } from '@overland/workloads';
import { addressWishes, attachRequestOf } from './attach-request.ts';
import type { CniCall } from './cni-call.ts';
import { CNI_CODE, CniError } from './cni-error.ts';
import type { Attachment, CniHost } from './cni-host.ts';
import type { Environment } from './environment.ts';
import { identityOf } from './identity.ts';
import { mergeResult } from './merge-result.ts';
import { type Dns, delegatedIpam, parseConfiguration } from './network-configuration.ts';
import { type AddResult, parseResult } from './result.ts';
import type { SpecVersion } from './spec-version.ts';
import { attachmentsToCollect, collectEach } from './valid-attachments.ts';

/** A command, and everything it goes by. */
export interface CommandContext {
  readonly call: CniCall;
  readonly environment: Environment;
  readonly cniVersion: SpecVersion;
  /** The network configuration, unchecked. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly host: CniHost;
}

/** Answers of a plugin; `undefined` is nothing to print. */
export type CommandTable = Readonly<
  Record<'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS', (context: CommandContext) => Promise<unknown>>
>;

/** What `overland` does: interface, addresses and policy. */
export const INTERFACE_COMMANDS: CommandTable = {
  ADD: add,
  DEL: del,
  CHECK: check,
  GC: collect,
  STATUS: status,
};

async function add(context: CommandContext): Promise<unknown> {
  const { environment, cniVersion, document, host } = context;
  const configuration = parseConfiguration(document, cniVersion);
  refuseTaken(context, configuration.prevResult);
  const identity = identityOf(configuration, environment);
  const ipam = delegatedIpam(document);
  const answer = ipam === undefined ? undefined : await delegate(context, ipam, 'ADD');
  try {
    const assigned =
      answer === undefined ? undefined : parseResult(answer, `the answer of ${ipam}`);
    const request = attachRequestOf(configuration, environment, identity, assigned);
    const attached = await host.attach(request, identity.profile);
    const dns = configuration.runtimeConfig?.dns ?? configuration.dns ?? {};
    const result = resultOf(attached, request, dns);
    return mergeResult(configuration.prevResult, result, cniVersion);
  } catch (error) {
    // Its own failure is of no interest beside ours; a DEL of the runtime comes to it again.
    if (ipam !== undefined) await delegate(context, ipam, 'DEL').catch(() => undefined);
    throw error;
  }
}

/** Before anybody is asked for addresses: undoing that would take those of the interface that is there. */
function refuseTaken({ environment, document, host }: CommandContext, prevResult: unknown): void {
  const { containerId, ifname, netns } = environment;
  const previous = prevResult === undefined ? [] : parseResult(prevResult, 'prevResult').interfaces;
  if (previous.some(({ name, sandbox }) => name === ifname && sandbox === netns)) {
    throw new CniError(
      CNI_CODE.invalidConfiguration,
      `prevResult has ${ifname} already: overland makes an interface of its own`,
    );
  }
  const isTaken = attachmentOf(host, containerId, ifname) !== undefined;
  if (isTaken && delegatedIpam(document) !== undefined) {
    throw new CniError(CNI_CODE.attachedOtherwise, `${containerId} has ${ifname} already`);
  }
}

function attachmentOf(host: CniHost, containerId: string, ifname: string): Attachment | undefined {
  return host
    .attachments()
    .find((item) => item.containerId === containerId && item.interface === ifname);
}

async function del(context: CommandContext): Promise<undefined> {
  const { environment, document, host } = context;
  const { containerId, ifname } = environment;
  const key = { containerId, interface: ifname };
  const attached = attachmentOf(host, containerId, ifname);
  // The network of an interface that it could not have does not take it from the one that has it.
  const isOthers = attached?.network !== undefined && attached.network !== document.name;
  if (!isOthers) await host.detach(key);
  const ipam = delegatedIpam(document);
  if (ipam !== undefined) await delegate(context, ipam, 'DEL');
  return undefined;
}

async function status(context: CommandContext): Promise<undefined> {
  const { environment, document, cniVersion, host } = context;
  const isOwnIpam = delegatedIpam(document) === undefined;
  const configuration = parseConfiguration(document, cniVersion);
  await host.status(isOwnIpam ? addressWishes(configuration, environment) : undefined);
  return undefined;
}

async function check(context: CommandContext): Promise<undefined> {
  const { environment, document, cniVersion, host } = context;
  const { prevResult } = parseConfiguration(document, cniVersion);
  if (prevResult === undefined) {
    throw new CniError(CNI_CODE.invalidConfiguration, 'CHECK needs prevResult');
  }
  const { containerId, ifname } = environment;
  const faults = await host.check({ containerId, interface: ifname });
  if (faults.length > 0) throw new CniError(CNI_CODE.notAsAttached, faults.join('; '));
  const ipam = delegatedIpam(document);
  if (ipam !== undefined) await delegate(context, ipam, 'CHECK');
  return undefined;
}

async function collect(context: CommandContext): Promise<undefined> {
  const { document, cniVersion, host, call } = context;
  const configuration = parseConfiguration(document, cniVersion);
  const own = host
    .attachments()
    .filter(({ network }) => network === configuration.name)
    .map(({ containerId, interface: ifname }) => ({ containerId, ifname }));
  const ipam = delegatedIpam(document);
  await collectEach(attachmentsToCollect(configuration, own), async ({ containerId, ifname }) => {
    await host.detach({ containerId, interface: ifname });
    if (ipam === undefined) return;
    const env = { ...call.env, CNI_CONTAINERID: containerId, CNI_IFNAME: ifname, CNI_NETNS: '' };
    await delegate({ ...context, call: { ...call, env } }, ipam, 'DEL');
  });
  return undefined;
}

async function delegate(
  { call, environment, host }: CommandContext,
  type: string,
  command: 'ADD' | 'DEL' | 'CHECK',
): Promise<unknown> {
  const env = { ...call.env, CNI_COMMAND: command };
  return await host.runPlugin({ type, path: environment.path, env, stdin: call.stdin });
}

function resultOf(attached: AttachedWorkload, request: AttachRequest, dns: Dns): AddResult {
  const { hostInterface, mac, mtu, addresses, gateways } = attached;
  const families = Object.entries(gateways) as [keyof typeof gateways, string][];
  const defaults = { ipv4: '0.0.0.0/0', ipv6: '::/0' };
  return {
    interfaces: [
      { name: hostInterface, mac: WORKLOAD_LINK.hostMac, mtu },
      { name: request.interface, mac, mtu, sandbox: request.namespacePath },
    ],
    ips: addresses.map((address) => ({
      address: hostPrefix(address),
      gateway: WORKLOAD_LINK.gateway[familyOf(address)],
      interface: 1,
    })),
    routes: families.flatMap(([family, gw]) => {
      const wanted = request.routes?.filter((dst) => familyOf(dst) === family);
      return (wanted ?? [defaults[family]]).map((dst) => ({ dst, gw }));
    }),
    dns,
  };
}
