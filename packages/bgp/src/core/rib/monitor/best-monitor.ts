import type { FamilyRib } from '../family-rib.ts';
import type { BestChanges } from '../loc-rib.ts';
import { IdSet } from '../memory/id-set.ts';
import { MonitoredUpdate } from './monitored-update.ts';
import { MAX_SKIPS, type RibMonitor } from './rib-monitor.ts';

/** What is in the Loc-RIB: RFC 9069. Three bits per prefix, as an Adj-RIB-Out. */
export class BestMonitor implements RibMonitor {
  readonly rib = 'loc-rib';
  readonly peer = undefined;
  readonly #family: FamilyRib;
  readonly #update: MonitoredUpdate;
  readonly #announced = new IdSet();
  readonly #pending = new IdSet();
  /** Every member is held. */
  readonly #withdrawn = new IdSet();
  #owesEndOfRib = true;
  #passAt = 1;
  readonly #passEnd: number;

  constructor(family: FamilyRib) {
    this.#family = family;
    this.#update = new MonitoredUpdate(family.tables);
    this.#passEnd = family.tables.highestPrefix();
    family.watchBest(this);
  }

  get hasWork(): boolean {
    return this.#isPassing || this.#pending.size > 0 || this.#withdrawn.size > 0 || this.#mayEndRib;
  }

  peerUp(): void {}
  peerDown(): void {}

  step(units: number): void {
    for (let used = 0; used < units && this.#isPassing; used += 1, this.#passAt += 1) {
      if (this.#family.locRib.best(this.#passAt) !== 0) this.#pending.add(this.#passAt);
    }
  }

  bestChanged({ count, prefixes, best }: BestChanges): void {
    for (let i = 0; i < count; i += 1) {
      const prefix = prefixes[i] ?? 0;
      if (best[i] !== 0) {
        if (this.#withdrawn.delete(prefix)) this.#family.tables.prefixes.release(prefix);
        this.#pending.add(prefix);
        continue;
      }
      this.#pending.delete(prefix);
      if (this.#announced.has(prefix) && this.#withdrawn.add(prefix)) {
        this.#family.tables.prefixes.hold(prefix);
      }
    }
  }

  next(target: Uint8Array, offset: number): number {
    if (this.#withdrawn.size > 0) return this.#packWithdrawals(target, offset);
    const prefix = this.#pending.take();
    if (prefix !== 0) return this.#packAnnouncements(prefix, target, offset);
    if (!this.#mayEndRib) return 0;
    this.#owesEndOfRib = false;
    this.#update.beginWithdraw(target, offset);
    return this.#update.finish();
  }

  close(): void {
    this.#family.unwatchBest(this);
    while (this.#withdrawn.size > 0) this.#family.tables.prefixes.release(this.#withdrawn.take());
  }

  get #isPassing(): boolean {
    return this.#passAt <= this.#passEnd;
  }

  get #mayEndRib(): boolean {
    const isTold = !this.#isPassing && this.#pending.size === 0 && this.#withdrawn.size === 0;
    return this.#owesEndOfRib && isTold && this.#family.isDecided;
  }

  #packWithdrawals(target: Uint8Array, offset: number): number {
    const { prefixes } = this.#family.tables;
    this.#update.beginWithdraw(target, offset);
    while (this.#withdrawn.size > 0 && this.#update.hasRoom) {
      const prefix = this.#withdrawn.take();
      this.#announced.delete(prefix);
      this.#update.put(prefix, 0);
      prefixes.release(prefix);
    }
    return this.#update.finish();
  }

  #packAnnouncements(first: number, target: Uint8Array, offset: number): number {
    const { groups, paths } = this.#family.tables;
    const group = this.#family.locRib.best(first);
    this.#update.beginAnnounce(target, offset, groups.attribute(group), groups.nextHop(group));
    this.#put(first);
    const path = paths.inGroup(first, group);
    if (path !== 0) {
      this.#packNeighbours(path, group, (at) => paths.newerInGroup(at));
      this.#packNeighbours(path, group, (at) => paths.olderInGroup(at));
    }
    return this.#update.finish();
  }

  #packNeighbours(path: number, group: number, beside: (path: number) => number): void {
    const { paths } = this.#family.tables;
    let skips = 0;
    for (let at = beside(path); at !== 0 && skips < MAX_SKIPS; at = beside(at)) {
      if (!this.#update.hasRoom) return;
      const prefix = paths.prefix(at);
      if (this.#family.locRib.best(prefix) === group && this.#pending.delete(prefix)) {
        this.#put(prefix);
        skips = 0;
      } else skips += 1;
    }
  }

  #put(prefix: number): void {
    this.#update.put(prefix, 0);
    this.#announced.add(prefix);
  }
}
