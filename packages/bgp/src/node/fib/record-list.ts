import { type PackedRoutes, PROTOCOL } from '@overland/linux';
import { recordOctets } from '@overland/net';
import type { FibTable } from './fib-table.ts';

/** Metric of learned routes: FRR's for eBGP. */
const METRIC = 20;

/** Changes of one table on their way to the kernel. */
export class RecordList {
  readonly #table: FibTable;
  readonly #records: Uint8Array;
  readonly #ids: number[] = [];
  readonly #objects: number[] = [];
  #octets = 0;

  /** @param most How many it takes. */
  constructor(table: FibTable, most: number) {
    this.#table = table;
    this.#records = new Uint8Array(most * recordOctets(table.family));
  }

  get count(): number {
    return this.#ids.length;
  }

  get routes(): PackedRoutes {
    const records = this.#records.subarray(0, this.#octets);
    return { family: this.#table.family, metric: METRIC, protocol: PROTOCOL.bgp, records };
  }

  add(id: number, object: number): void {
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
