import type { Nftables, NftTable } from '@overland/linux';
import { WORKLOAD_LINK } from '@overland/net';

const TABLE = 'inet overland';
const MAP = 'workloads';

/**
 * Traffic from and to workloads passes only if the interface is in the map; the rest of `cali*` is dropped,
 * also while no agent runs. Written as nft prints it, so that a restart sees that nothing has changed.
 *
 * The policy of an endpoint will be its verdict: `jump` to a chain of its own instead of `return`.
 */
const TEXT = `table ${TABLE} {
	map ${MAP} {
		typeof iifname : verdict
	}

	chain from-workload {
		iifname vmap @${MAP}
		drop
	}

	chain to-workload {
		oifname vmap @${MAP}
		drop
	}

	chain input {
		type filter hook input priority filter; policy accept;
		iifname "${WORKLOAD_LINK.namePrefix}*" jump from-workload
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "${WORKLOAD_LINK.namePrefix}*" jump from-workload
		oifname "${WORKLOAD_LINK.namePrefix}*" jump to-workload
	}
}`;

/** Keeps the packet filter's list of known interfaces. */
export class WorkloadFilter {
  readonly #nftables: Nftables | undefined;
  /** What the kernel holds, as far as we know; `undefined`: to be read. */
  #actual: { readonly text: string; readonly known: Set<string> } | undefined;
  /** How this version of nft prints {@link TEXT}. */
  #printed = TEXT;

  /** @param nftables Absent: nothing is let through, and nothing written. */
  constructor(nftables: Nftables | undefined) {
    this.#nftables = nftables;
  }

  /** Reads the table again before the next change. */
  doubt(): void {
    this.#actual = undefined;
  }

  isAllowed(interfaceName: string): boolean {
    return this.#actual?.known.has(interfaceName) ?? false;
  }

  /**
   * Lets these interfaces through, and no others if `mayRemove`. Established connections of an interface that
   * stays are not touched. Call it before the first packet of an interface, and again after its last one.
   *
   * @returns Whether something was written.
   * @throws {NftError} What is in the kernel is then in doubt.
   */
  async reconcile(interfaces: ReadonlySet<string>, mayRemove: boolean): Promise<boolean> {
    if (!this.#nftables) return false;
    try {
      this.#actual ??= await this.#read(this.#nftables);
      const actual = this.#actual;
      if (actual?.text !== this.#printed) {
        await this.#replace(
          this.#nftables,
          new Set([...interfaces, ...(mayRemove ? [] : (actual?.known ?? []))]),
        );
        return true;
      }
      const add = [...interfaces].filter((name) => !actual.known.has(name));
      const remove = mayRemove ? [...actual.known].filter((name) => !interfaces.has(name)) : [];
      if (add.length === 0 && remove.length === 0) return false;
      await this.#nftables.changeElements(TABLE, MAP, { add: allow(add), remove });
      for (const name of add) actual.known.add(name);
      for (const name of remove) actual.known.delete(name);
      return true;
    } catch (error) {
      this.doubt();
      throw error;
    }
  }

  async #read(nftables: Nftables): Promise<{ text: string; known: Set<string> } | undefined> {
    const table = await nftables.readTable(TABLE);
    if (!table) return undefined;
    const elements = [...(table.elements.get(MAP) ?? [])];
    const known = new Set(elements.filter(([, to]) => to === ALLOWED).map(([name]) => name));
    // An element that we would not write: make the table anew rather than guess.
    return { text: known.size === elements.length ? table.text : '', known };
  }

  async #replace(nftables: Nftables, interfaces: ReadonlySet<string>): Promise<void> {
    const content: NftTable = { text: TEXT, elements: new Map([[MAP, allow(interfaces)]]) };
    await nftables.replaceTable(TABLE, content);
    this.#actual = await this.#read(nftables);
    this.#printed = this.#actual?.text ?? TEXT;
  }
}

const ALLOWED = 'return';

function allow(interfaces: Iterable<string>): Map<string, string> {
  return new Map([...interfaces].map((name) => [name, ALLOWED]));
}
