import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  applyChange,
  differenceOf,
  emptyPolicyState,
  isEmptyChange,
  type MutablePolicyState,
  PolicyCalculation,
  type PolicyChange,
  type PolicyState,
} from '@overland/felix';
import { parseResourceKey } from '@overland/model';
import type { Logger } from 'pino';
import type { Problem } from './node-publisher.ts';
import { decodeResource } from './stored-resources.ts';

/** Some milliseconds of work. */
const STEP_UNITS = 20_000;

export interface PolicyPublisherOptions {
  readonly nodeName: string;
  /** The receiver of what is computed. */
  readonly changePolicy: (change: PolicyChange) => Promise<void>;
  readonly log: Logger;
}

/** Computes what this host's packet filter should hold from stored entries, each decoded once, and sends what changes. */
export class PolicyPublisher {
  readonly #options: PolicyPublisherOptions;
  readonly #calculation: PolicyCalculation;
  readonly #unreadable = new Map<string, string>();
  /** What the dataplane has been told. */
  readonly #sent: MutablePolicyState = emptyPolicyState();
  #isDirty = true;
  #isSynced = false;

  constructor(options: PolicyPublisherOptions) {
    this.#options = options;
    this.#calculation = new PolicyCalculation(options.nodeName);
  }

  /** Takes over an entry of a kind that decides about policy; `undefined`: it is no more. */
  update(key: string, value: string | undefined): void {
    const found = parseResourceKey(key);
    if (!found) return;
    const { kind, name } = found;
    const decoded = value === undefined ? undefined : decodeResource(kind, value);
    this.#isDirty = true;
    if (decoded?.type === 'unreadable') this.#noteUnreadable(key, decoded.message);
    else this.#unreadable.delete(key);
    const resource = decoded?.type === 'resource' ? decoded.resource : undefined;
    this.#calculation.update(kind, name, resource);
  }

  /** Sends what an earlier agent computed last: it stands in until the datastore has been read. */
  async publishSnapshot(state: PolicyState): Promise<void> {
    await this.#send(differenceOf(this.#sent, state, false));
  }

  /**
   * Sends what the entries have changed, once they are all there are.
   *
   * @returns Whether there was something; resolves when the dataplane has it.
   */
  async publish(): Promise<boolean> {
    if (!this.#isDirty) return false;
    this.#isDirty = false;
    // In pieces: other work of the thread comes between.
    while (this.#calculation.step(STEP_UNITS)) await nextTurn();
    const told = this.#calculation.flush({ synced: true });
    // The calculation begins at nothing, the dataplane perhaps at a snapshot.
    const change = this.#isSynced ? told : this.#fromSnapshot(told);
    const isNews = !this.#isSynced || !isEmptyChange(change);
    this.#isSynced = true;
    if (isNews) await this.#send(change);
    return isNews;
  }

  /** What the packet filter should hold, as it was sent last. */
  get state(): PolicyState {
    return this.#sent;
  }

  /** Resources that have no effect, or not all of it. */
  problems(): Problem[] {
    const lists = [...this.#sent.lists.values()];
    return [
      ...[...this.#unreadable].map(([resource, reason]) => ({ resource, reason })),
      ...lists.flatMap(({ name, missing }) =>
        missing === undefined ? [] : [{ resource: name, reason: missing }],
      ),
      ...lists.flatMap(({ name, rules }) =>
        rules.flatMap(({ inert }, i) =>
          inert === undefined ? [] : [{ resource: `${name} rule ${i + 1}`, reason: inert }],
        ),
      ),
    ];
  }

  #fromSnapshot(told: PolicyChange): PolicyChange {
    const computed = emptyPolicyState();
    applyChange(computed, told);
    return differenceOf(this.#sent, computed, true);
  }

  async #send(change: PolicyChange): Promise<void> {
    applyChange(this.#sent, change);
    await this.#options.changePolicy(change);
  }

  #noteUnreadable(key: string, message: string): void {
    this.#unreadable.set(key, message);
    this.#options.log.warn(
      { resource: key, reason: message },
      'resource has no effect or not all of it',
    );
  }
}
