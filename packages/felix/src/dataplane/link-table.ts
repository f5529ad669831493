import { FailedNeighbours, type Kernel, type KernelEvent, type Link } from '@overland/linux';
import {
  formatInterfaceAddress,
  type InterfaceAddress,
  type IpAddress,
  isWorkloadLink,
} from '@overland/net';

/** One interface as the speaker needs to know it: next hops on a link that is down are unusable. */
export interface InterfaceStatus {
  readonly name: string;
  /** Set up; there may be no carrier. */
  readonly up: boolean;
  /** Up and with carrier. */
  readonly usable: boolean;
  /** In octets. */
  readonly mtu: number;
  readonly addresses: readonly InterfaceAddress[];
  /** Neighbours there that do not answer. */
  readonly unreachable: readonly IpAddress[];
}

interface Entry {
  link: Link;
  /** By text. */
  readonly addresses: Map<string, InterfaceAddress>;
}

/** The links of the namespace, their addresses and dead neighbours, kept current by events. */
export class LinkTable {
  readonly #byName = new Map<string, Entry>();
  readonly #failed = new FailedNeighbours();

  /** Reads everything from the kernel; forgets what was known. */
  async readBack(kernel: Kernel): Promise<void> {
    const entries: Entry[] = [];
    for (const link of await kernel.links.list()) {
      const addresses = await addressesOf(kernel, link.name);
      entries.push({ link, addresses: new Map(addresses.map(withText)) });
    }
    await this.#failed.readBack(kernel.neighbours);
    this.#byName.clear();
    for (const entry of entries) this.#byName.set(entry.link.name, entry);
  }

  /** Takes over a link, address or neighbour event; ignores the others. @returns Whether anything is different now. */
  observe(event: KernelEvent): boolean {
    const failed = this.#failed.observe(event);
    switch (event.type) {
      case 'neighbour':
        return failed;
      case 'link':
        return this.#put(event.link);
      case 'link-removed':
        return this.#byName.delete(event.name);
      case 'address':
        return this.#putAddress(event);
      default:
        return false;
    }
  }

  get(name: string): Link | undefined {
    return this.#byName.get(name)?.link;
  }

  /** Up and with carrier. */
  isUsable(name: string): boolean {
    const link = this.get(name);
    return link?.up === true && link.carrier;
  }

  hasAddress(name: string, address: InterfaceAddress): boolean {
    return this.#byName.get(name)?.addresses.has(formatInterfaceAddress(address)) ?? false;
  }

  /** Whether any interface of the host holds the address. */
  isLocal(address: IpAddress): boolean {
    for (const { addresses } of this.#byName.values()) {
      for (const held of addresses.values()) if (held.address === address) return true;
    }
    return false;
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  /** All interfaces but those of workloads, by name. */
  status(): InterfaceStatus[] {
    return [...this.#byName.values()]
      .filter(({ link }) => !isWorkloadLink(link.name))
      .map(({ link, addresses }) => ({
        name: link.name,
        up: link.up,
        usable: link.up && link.carrier,
        mtu: link.mtu,
        addresses: [...addresses.values()],
        unreachable: this.#failed.on(link.name),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #put(link: Link): boolean {
    const renamed = [...this.#byName.values()].find(
      (entry) => entry.link.index === link.index && entry.link.name !== link.name,
    );
    if (renamed) this.#byName.delete(renamed.link.name);
    const known = this.#byName.get(link.name);
    const same = known?.link.index === link.index ? known : renamed;
    this.#byName.set(link.name, { link, addresses: same?.addresses ?? new Map() });
    const before = known?.link;
    return (
      before?.index !== link.index ||
      before.up !== link.up ||
      before.carrier !== link.carrier ||
      before.mtu !== link.mtu
    );
  }

  #putAddress(event: Extract<KernelEvent, { type: 'address' }>): boolean {
    const addresses = this.#byName.get(event.device)?.addresses;
    const [text, address] = withText(event.address);
    if (!addresses || addresses.has(text) !== event.removed) return false;
    if (event.removed) addresses.delete(text);
    else addresses.set(text, address);
    return true;
  }
}

function withText(address: InterfaceAddress): [string, InterfaceAddress] {
  return [formatInterfaceAddress(address), address];
}

async function addressesOf(kernel: Kernel, name: string): Promise<InterfaceAddress[]> {
  try {
    return await kernel.links.addresses(name);
  } catch (error) {
    // Gone between the two listings: an event says so.
    if (await kernel.links.get(name)) throw error;
    return [];
  }
}
