import type { InterfaceStatus, LinkTable } from './link-table.ts';

export type InterfaceListener = (interfaces: readonly InterfaceStatus[]) => void;

/** Tells listeners about the host's interfaces, whenever something that matters for next hops has changed. */
export class InterfaceFeed {
  readonly #listeners: InterfaceListener[] = [];
  #last: { readonly text: string; readonly list: readonly InterfaceStatus[] } | undefined;

  subscribe(listener: InterfaceListener): void {
    this.#listeners.push(listener);
    if (this.#last) listener(this.#last.list);
  }

  publish(links: LinkTable): void {
    const list = links.status();
    const text = JSON.stringify(list);
    if (text === this.#last?.text) return;
    this.#last = { text, list };
    for (const listener of this.#listeners) listener(list);
  }
}
