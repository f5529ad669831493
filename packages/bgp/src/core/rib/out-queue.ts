import { UpdateWriter } from '../wire/update-writer.ts';
import type { EgressClass } from './egress-class.ts';
import { IdSet } from './memory/id-set.ts';
import { Offer } from './offer.ts';
import { OutPhases } from './out-phases.ts';
import type { Recipient } from './rib-out.ts';
import type { RibTables } from './rib-tables.ts';
import type { SendLimit } from './send-limit.ts';

/** No next hop. */
export const NO_OCTETS = new Uint8Array(0);

/**
 * What every Adj-RIB-Out does, whether its peer has the best path of a prefix or several: goes over all that there is in phases,
 * and packs what waits when the socket has room. What it has of ids are prefixes in AdjRibOut, paths in AddPathOut.
 */
export abstract class OutQueue {
  readonly offer: Offer;
  protected readonly tables: RibTables;
  protected readonly writer = new UpdateWriter();
  protected readonly phases: OutPhases;
  protected readonly announce = new IdSet();
  protected readonly advertised = new IdSet();
  protected limit: SendLimit | undefined;
  /** Prefix 0/0 while the peer is offered a default route of ours, held; 0 while it is not. */
  protected ownDefault = 0;
  readonly #recipient: Recipient;

  constructor(tables: RibTables, egress: EgressClass, recipient: Recipient) {
    this.tables = tables;
    this.offer = new Offer(tables, egress, recipient.peer);
    this.phases = new OutPhases(tables.highestPrefix());
    this.#recipient = recipient;
  }

  /** Whether nothing waits to be sent. */
  protected abstract get isIdle(): boolean;

  /** Copies a message that was packed for another peer, if there is one. @returns Its octets; 0: there is none. */
  protected copyUpdate(_target: Uint8Array, _offset: number): number {
    return 0;
  }

  /** A message was packed: others may be sent the same. */
  protected packed(_target: Uint8Array, _offset: number, _octets: number): void {}

  /** Packs withdrawals, or else announcements, of what waits. @returns Whether there was anything. */
  protected abstract packChanges(): boolean;

  get heldBack(): number {
    return this.limit?.held ?? 0;
  }

  get hasEndedRib(): boolean {
    return this.phases.hasEndedRib;
  }

  get hasUpdate(): boolean {
    return !this.isIdle || this.phases.due(true) !== undefined;
  }

  get isPassing(): boolean {
    return this.phases.isPassing;
  }

  startPass(): void {
    this.phases.startPass(this.tables.highestPrefix());
  }

  reconsider(): void {
    this.announce.clear();
    this.limit?.clear();
    this.startPass();
  }

  refresh(): void {
    if (this.#recipient.enhancedRefresh) this.phases.beginRefresh();
    this.startPass();
  }

  settle(): void {
    this.phases.settle();
  }

  nextUpdate(target: Uint8Array, offset: number): number {
    const due = this.phases.due(this.isIdle);
    if (due !== undefined && due !== 'end-of-rib') {
      return this.phases.tellRefresh(due, this.tables.family, { target, offset });
    }
    const copied = due === undefined ? this.copyUpdate(target, offset) : 0;
    if (copied > 0) return copied;
    this.writer.open(target, offset, this.#recipient.maxMessageOctets);
    if (!this.packChanges()) {
      if (due !== 'end-of-rib') return 0;
      this.phases.endRib();
      this.writer.beginWithdraw(this.tables.family);
    }
    const octets = this.writer.finish();
    this.packed(target, offset, octets);
    return octets;
  }

  /** Lets go of our default route, after the session ended. */
  protected releaseDefault(): void {
    if (this.ownDefault === 0) return;
    this.tables.prefixes.release(this.ownDefault);
    this.ownDefault = 0;
  }
}
