import { type Prefix, parseAddress, parsePrefix, WORKLOAD_LINK } from '@overland/net';
import type { AttachRequest } from '@overland/workloads';
import type { AddressWish, DockerHost } from '../src/docker-host.ts';
import type { DockerEndpoint, DockerNetwork } from '../src/records.ts';

class Records<T extends { readonly id: string }> {
  readonly #records = new Map<string, T>();

  get(id: string): T | undefined {
    return this.#records.get(id);
  }

  all(): readonly T[] {
    return [...this.#records.values()];
  }

  async write(record: T): Promise<void> {
    this.#records.set(record.id, record);
  }

  async remove(id: string): Promise<void> {
    this.#records.delete(id);
  }
}

/** A host in memory that remembers what it was asked to do. */
export class FakeDockerHost implements DockerHost {
  readonly networks = new Records<DockerNetwork>();
  readonly endpoints = new Records<DockerEndpoint>();
  readonly held = new Set<string>();
  readonly wishes: AddressWish[] = [];
  readonly attached: AttachRequest[] = [];
  readonly detached: string[] = [];
  readonly identified: string[] = [];
  asksForLabels = true;

  pools() {
    return [
      { name: 'front', cidr: parsePrefix('10.65.0.0/16') },
      { name: 'back', cidr: parsePrefix('10.66.0.0/16') },
      { name: 'six', cidr: parsePrefix('fd00:65::/48') },
    ] satisfies { name: string; cidr: Prefix }[];
  }

  readonly addresses: DockerHost['addresses'] = {
    assign: async (wish) => {
      this.wishes.push(wish);
      const address = wish.address ?? parseAddress(`10.65.0.${this.wishes.length}`);
      this.held.add(address);
      return address;
    },
    isHeld: (address) => this.held.has(address),
    release: async (address) => {
      this.held.delete(address);
    },
  };

  async networkName(): Promise<string> {
    return 'fabric';
  }

  readonly attach: DockerHost['attach'] = async (request) => {
    this.attached.push(request);
    const { containerId, interface: name, namespace, namespacePath } = request;
    return {
      containerId,
      interface: name,
      name: request.name,
      namespace,
      namespacePath,
      addresses: request.foreignAddresses ?? [],
      gateways: WORKLOAD_LINK.gateway,
      hostInterface: 'cali0123456789a',
      handoverInterface: 'ovlc0123456789a',
      mac: request.mac ?? '',
      mtu: 1500,
    };
  };

  readonly detach: DockerHost['detach'] = async ({ containerId }) => {
    this.detached.push(containerId);
  };

  identifySoon(endpointId: string): void {
    this.identified.push(endpointId);
  }
}
