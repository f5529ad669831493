import { parseAddress, WORKLOAD_LINK } from '@overland/net';
import type { AttachRequest } from '@overland/workloads';
import type { AddressHolder, Attachment, CniHost, PluginRun } from '../src/cni-host.ts';

/** A host in memory that remembers what it was asked to do. */
export class FakeHost implements CniHost {
  readonly attached: AttachRequest[] = [];
  readonly profiles: string[] = [];
  readonly held = new Map<string, AddressHolder>();
  readonly runs: PluginRun[] = [];
  /** What another plugin answers; a function may throw. */
  pluginAnswer: () => unknown = () => undefined;
  /** Thrown by the next attach. */
  refusal: Error | undefined;
  faults: string[] = [];

  async status(): Promise<void> {}

  readonly attach: CniHost['attach'] = async (request, profile) => {
    if (this.refusal) throw this.refusal;
    this.profiles.push(profile.metadata.name);
    this.attached.push(request);
    return {
      containerId: request.containerId,
      interface: request.interface,
      name: request.name,
      namespace: request.namespace,
      namespacePath: request.namespacePath,
      addresses:
        request.foreignAddresses ??
        request.addresses ??
        ['10.65.0.1', 'fd00:65::1'].map(parseAddress),
      gateways: WORKLOAD_LINK.gateway,
      hostInterface: 'cali0123456789a',
      mac: request.mac ?? '02:00:00:00:00:01',
      mtu: request.mtu ?? 1500,
    };
  };

  readonly detach: CniHost['detach'] = async (key) => {
    const at = this.attached.findIndex(
      (item) => item.containerId === key.containerId && item.interface === key.interface,
    );
    if (at >= 0) this.attached.splice(at, 1);
  };

  async check(): Promise<readonly string[]> {
    return this.faults;
  }

  attachments(): Attachment[] {
    return this.attached.map(({ containerId, interface: name, network }) => ({
      containerId,
      interface: name,
      ...(network !== undefined && { network }),
    }));
  }

  readonly addresses: CniHost['addresses'] = {
    assign: async (holder) => {
      this.held.set(JSON.stringify(holder), holder);
      return [parseAddress('10.65.0.7')];
    },
    release: async (holder) => void this.held.delete(JSON.stringify(holder)),
    heldBy: async (holder) =>
      this.held.has(JSON.stringify(holder)) ? [parseAddress('10.65.0.7')] : [],
    holders: async (network) => [...this.held.values()].filter((one) => one.network === network),
  };

  async runPlugin(run: PluginRun): Promise<unknown> {
    this.runs.push(run);
    return this.pluginAnswer();
  }
}
