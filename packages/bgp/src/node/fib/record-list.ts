import { type PackedRoutes, PROTOCOL } from '@overland/linux';
import { recordOctets } from '@overland/net';
import type { FibTable } from './fib-table.ts';

/** Metric of learned routes: FRR's for eBGP. */
const METRIC = 20;

/** Changes of one table on their way to the kernel. */
export class RecordList {
  readonly #table: FibTable;
  readonly #most: number;
  /** Made for the first: of two lists for a part of a table, one stays empty nearly always. */
  #records = new Uint8Array(0);
  readonly #ids: number[] = [];
  readonly #objects: number[] = [];
  #octets = 0;

  /** @param most How many it takes. */
  constructor(table: FibTable, most: number) {
    this.#table = table;
    this.#most = most;
  }

  get count(): number {
    return this.#ids.length;
  }

  get routes(): PackedRoutes {
    const records = this.#records.subarray(0, this.#octets);
    return { family: this.#table.family, metric: METRIC, protocol: PROTOCOL.bgp, records };
  }

  add(id: number, object: number): void {
    if (this.#records.length === 0) {
      this.#records = new Uint8Array(this.#most * recordOctets(this.#table.family));
    }
    this.#octets = this.#table.writeRecord(id, object, this.#records, this.#octets);
    this.#ids.push(id);
    this.#objects.push(object);
  }

  /** Notes what the kernel has now. @param isTaken Whether it took the change at a place. */
  wrote(isTaken: (at: number) => boolean): void {
    for (const [at, id] of this.#ids.entries()) {
      if (isTaken(at)) this.#table.wrote(id, this.#objects[at] ?? 0);
      this.#table.settle(id);
    }
  }
}
