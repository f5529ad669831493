import type { IpAddress } from '@overland/net';
import type { KernelEvent, Neighbour, Neighbours } from './ports.ts';

/**
 * The neighbours that the kernel has given up on (NUD_FAILED), kept current by events. One that it looks for anew
 * (NUD_INCOMPLETE) has failed until it answers; one of which nothing is known has not.
 */
export class FailedNeighbours {
  readonly #byDevice = new Map<string, Set<IpAddress>>();

  /** Reads everything from the kernel; forgets what was known. */
  async readBack(neighbours: Neighbours): Promise<void> {
    const all = await neighbours.list();
    this.#byDevice.clear();
    for (const neighbour of all) this.#set(neighbour, neighbour.state === 'failed');
  }

  /** @returns Whether the neighbours that have failed are others now. */
  observe(event: KernelEvent): boolean {
    switch (event.type) {
      case 'neighbour': {
        const { neighbour, removed } = event;
        if (!removed && neighbour.state === 'incomplete') return false;
        return this.#set(neighbour, !removed && neighbour.state === 'failed');
      }
      // The kernel forgets the neighbours of a link that goes down.
      case 'link':
        return (!event.link.up || !event.link.carrier) && this.#byDevice.delete(event.link.name);
      case 'link-removed':
        return this.#byDevice.delete(event.name);
      default:
        return false;
    }
  }

  /** In order of their failing. */
  on(device: string): IpAddress[] {
    return [...(this.#byDevice.get(device) ?? [])];
  }

  #set({ device, address }: Neighbour, hasFailed: boolean): boolean {
    const known = this.#byDevice.get(device);
    if (hasFailed === (known?.has(address) ?? false)) return false;
    if (!known) this.#byDevice.set(device, new Set([address]));
    else if (hasFailed) known.add(address);
    else known.delete(address);
    return true;
  }
}
