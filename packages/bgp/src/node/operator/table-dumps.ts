import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PeerId, RouteEngine, TableDump, TableDumpView } from '../../core/rib/route-engine.ts';
import type { PeerRunner } from '../peer-runner.ts';

/** Prefixes and paths written in one go: about a millisecond. */
const UNITS = 1024;
/** Octets of a piece, about. */
const PIECE_OCTETS = 512 * 1024;
/** Dumps that may be under way; with one more, the oldest ends. */
const MAX_DUMPS = 4;

/** A piece of a dump as it travels: pieces follow each other in the file. */
export interface DumpPiece {
  /** MRT records (RFC 6396), base64. */
  readonly octets: string;
  /** Ask for the next piece with this; `null`: it was the last one. */
  readonly next: string | null;
}

/** Dumps of the RIBs that somebody fetches piece by piece: nothing is written that is not asked for. */
export class TableDumps {
  readonly #engine: RouteEngine;
  readonly #peers: () => Iterable<PeerRunner>;
  readonly #dumps = new Map<string, TableDump>();
  #made = 0;

  constructor(engine: RouteEngine, peers: () => Iterable<PeerRunner>) {
    this.#engine = engine;
    this.#peers = peers;
  }

  /** Begins a dump. @returns Its first piece. */
  async begin(view: TableDumpView): Promise<DumpPiece> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const sinceSeconds = new Map<PeerId, number>();
    for (const { id, record } of this.#peers()) {
      const { session, changedMs } = record;
      if (!session || changedMs === undefined) continue;
      sinceSeconds.set(id, Math.floor((performance.timeOrigin + changedMs) / 1000));
    }
    const upSinceSeconds = (peer: PeerId): number | undefined => sinceSeconds.get(peer);
    return await this.#piece(this.#engine.dump({ view, nowSeconds, upSinceSeconds }));
  }

  /** Goes on with a dump. @returns `undefined`: there is no such dump, or it had to make room for others. */
  async next(id: string): Promise<DumpPiece | undefined> {
    const dump = this.#dumps.get(id);
    if (!dump) return undefined;
    this.#dumps.delete(id);
    return await this.#piece(dump);
  }

  async #piece(dump: TableDump): Promise<DumpPiece> {
    const parts: Uint8Array[] = [];
    for (let octets = 0; octets < PIECE_OCTETS; ) {
      const part = dump.next(UNITS);
      if (!part) return { octets: Buffer.concat(parts).toString('base64'), next: null };
      parts.push(part);
      octets += part.length;
      // Sessions have their turns between slices.
      await nextTurn();
    }
    return { octets: Buffer.concat(parts).toString('base64'), next: this.#keep(dump) };
  }

  #keep(dump: TableDump): string {
    this.#made += 1;
    const id = `${this.#made}`;
    this.#dumps.set(id, dump);
    const [oldest] = this.#dumps.keys();
    if (this.#dumps.size > MAX_DUMPS && oldest !== undefined) this.#dumps.delete(oldest);
    return id;
  }
}
