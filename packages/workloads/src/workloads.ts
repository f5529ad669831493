import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '@overland/datastore';
import { sameJson } from '@overland/model';
import type {
  AttachedWorkload,
  AttachRequest,
  DetachedWorkload,
  DetachRequest,
  ListedWorkload,
  WorkloadIdentity,
} from './api.ts';
import { buildWorkload } from './build-workload.ts';
import { checkWorkload } from './check-workload.ts';
import { collectGarbage, type Garbage } from './collect-garbage.ts';
import { AlreadyAttachedError, AttachAbortedError } from './errors.ts';
import { identifyWorkload } from './identify-workload.ts';
import { MissedTwice } from './missed-twice.ts';
import { DEFAULT_LIMITS, type ResolvedOptions, type WorkloadsOptions } from './ports.ts';
import { RecordStore } from './record-store.ts';
import { Turns } from './turns.ts';
import { abortError } from './within.ts';
import { endpointNameOf, workloadEndpointOf } from './workload-endpoint.ts';
import {
  attachedWorkload,
  hostInterfaceOf,
  listedWorkload,
  newRecord,
  type WorkloadRecord,
} from './workload-record.ts';

/** What {@link Workloads.recover} found and did. */
export interface Recovery {
  /** Attachments that had not come to an end, or whose container is gone: taken apart. */
  readonly leftovers: number;
  /** Detaches that wait for the datastore now. */
  readonly pending: number;
  /** What nobody owned; `undefined` if that could not be found out yet. */
  readonly garbage: Garbage | undefined;
}

/** The containers of this host. Calls for one attachment run one after another; all are idempotent. */
export interface Workloads {
  /**
   * Puts a container on the network. Asked again for one that is attached, answers the same again.
   *
   * @throws {InvalidRequestError} If a field is wrong.
   * @throws {AlreadyAttachedError} If the container or the name is attached in another way.
   * @throws {AttachAbortedError} If it took too long, or a detach came first.
   * @throws Whatever a part refused: `NoAddressError`, `UnavailableError`, `KernelError`, … In every case what
   *   was done is undone, at the latest when the datastore answers.
   */
  attach(request: AttachRequest): Promise<AttachedWorkload>;

  /** Takes a container off the network. One that is not attached is no mistake. */
  detach(request: DetachRequest): Promise<DetachedWorkload>;

  /**
   * Says who an attachment is that began unidentified, and lets it onto the network. Again is no mistake.
   *
   * @returns `false`: it is not attached (any more).
   * @throws {AttachAbortedError} If the host's side does not come up in time; it is still attached.
   */
  identify(key: DetachRequest, identity: WorkloadIdentity): Promise<boolean>;

  list(): ListedWorkload[];

  /**
   * What of an attachment is not as it was made, in words; nothing: all is well.
   *
   * @throws {UnavailableError} If the datastore does not answer.
   */
  check(key: DetachRequest): Promise<readonly string[]>;

  /**
   * After a start, before the first attach: takes apart what an earlier process left half done and what lost its
   * container, and gives back addresses of this node that nobody holds. Needs no datastore; what does, waits.
   */
  recover(): Promise<Recovery>;

  /** Tries once to finish what waits for the datastore. @returns How many detaches still wait. */
  settlePending(): Promise<number>;

  /**
   * Keeps finishing what waits for the datastore, and taking apart what has lost its container without a detach (a
   * runtime that was killed, `ctr run --detach`), until `signal` aborts.
   */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Reads the journal; changes nothing yet.
 *
 * Each attachment is a state machine whose every state is in the journal before the world is changed
 * (`workload-record.ts`), so what a crash left can always be found and undone.
 */
export async function createWorkloads(options: WorkloadsOptions): Promise<Workloads> {
  const records = new RecordStore(options.journal, options.onDeparted ?? (() => undefined));
  const unreadable = await records.load();
  for (const path of unreadable) {
    options.log.error({ path }, 'record in the journal cannot be read and is left alone');
  }
  return new JournalledWorkloads(options, records, unreadable.length === 0);
}

class JournalledWorkloads implements Workloads {
  readonly #options: ResolvedOptions;
  readonly #records: RecordStore;
  readonly #turns = new Turns();
  /** Calls off the attaches that a detach overtakes. By host interface, as everything here. */
  readonly #attaching = new Map<string, Set<AbortController>>();
  /** What nobody owns is left alone while there are records that cannot be read: they own something. */
  readonly #isJournalWhole: boolean;
  /** Detaches that are to be settled and whose link is known to be gone. */
  readonly #linkless = new Set<string>();
  readonly #lost = new MissedTwice();
  #isCollectionDue = true;

  constructor(options: WorkloadsOptions, records: RecordStore, isJournalWhole: boolean) {
    this.#options = { ...options, limits: { ...DEFAULT_LIMITS, ...options.limits } };
    this.#records = records;
    this.#isJournalWhole = isJournalWhole;
  }

  async attach(request: AttachRequest): Promise<AttachedWorkload> {
    const hostInterface = hostInterfaceOf(request);
    try {
      return await this.#inTime(hostInterface, (signal) => this.#attach(request, signal));
    } catch (error) {
      // What was sent may yet be carried out, after it has been undone.
      if (error instanceof UnavailableError) this.#isCollectionDue = true;
      await this.#settleSoon(hostInterface);
      throw error;
    }
  }

  async detach(request: DetachRequest): Promise<DetachedWorkload> {
    const hostInterface = hostInterfaceOf(request);
    for (const attach of this.#attaching.get(hostInterface) ?? []) {
      attach.abort(new AttachAbortedError('a detach came first'));
    }
    await this.#turns.run(hostInterface, async () => {
      const record = this.#records.get(hostInterface);
      if (record) await this.#leaveHost(record);
      else await this.#options.network.remove(hostInterface);
    });
    return { released: await this.#settleSoon(hostInterface) };
  }

  async identify(key: DetachRequest, identity: WorkloadIdentity): Promise<boolean> {
    const hostInterface = hostInterfaceOf(key);
    return await this.#inTime(hostInterface, async (signal) => {
      const record = this.#records.get(hostInterface);
      if (record?.state !== 'attached') return false;
      const keep = (identified: WorkloadRecord) => this.#records.write(identified);
      await identifyWorkload(this.#options, record, { identity, signal, keep });
      return true;
    });
  }

  list(): ListedWorkload[] {
    return this.#records.all().map(listedWorkload);
  }

  async check(key: DetachRequest): Promise<readonly string[]> {
    const hostInterface = hostInterfaceOf(key);
    return await this.#turns.run(hostInterface, async () => {
      const record = this.#records.get(hostInterface);
      if (record?.state === 'attached') return await checkWorkload(this.#options, record);
      return [`${key.containerId} is not attached by ${key.interface}`];
    });
  }

  async recover(): Promise<Recovery> {
    const { network, log } = this.#options;
    let leftovers = 0;
    for (const record of this.#records.all()) {
      const { hostInterface, state } = record;
      if (state === 'attached' && (await network.exists(hostInterface))) continue;
      log.warn({ hostInterface, state }, 'taking apart a workload that is not whole');
      leftovers++;
      await this.#turns.run(hostInterface, () => this.#leaveHostIfPossible(record));
    }
    const pending = await this.settlePending();
    return { leftovers, pending, garbage: await this.#collectGarbage() };
  }

  async settlePending(): Promise<number> {
    const isPending = ({ state }: WorkloadRecord): boolean => state === 'detaching';
    for (const { hostInterface } of this.#records.all().filter(isPending)) {
      const outcome = await this.#turns.run(hostInterface, () => this.#settle(hostInterface));
      // The others would only wait for the same datastore.
      if (outcome === 'unreachable') break;
    }
    return this.#records.all().filter(isPending).length;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { retryMs, lookMs } = this.#options.limits;
    let lookedMs = performance.now();
    for (;;) {
      await delay(retryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (performance.now() - lookedMs >= lookMs) {
        await this.#takeLostApart();
        lookedMs = performance.now();
      }
      if ((await this.settlePending()) === 0) await this.#collectGarbage();
    }
  }

  async #takeLostApart(): Promise<void> {
    const { network, log } = this.#options;
    const isLost = async ({ hostInterface, state }: WorkloadRecord): Promise<boolean> =>
      state === 'attached' && !(await network.exists(hostInterface));
    try {
      for (const found of this.#records.all()) {
        const { hostInterface } = found;
        if (!(await isLost(found)) || !this.#lost.miss(hostInterface)) continue;
        await this.#turns.run(hostInterface, async () => {
          const record = this.#records.get(hostInterface);
          if (!record || !(await isLost(record))) return;
          log.warn({ hostInterface }, 'taking apart a workload whose container is gone');
          await this.#leaveHostIfPossible(record);
        });
      }
      this.#lost.ended();
    } catch (error) {
      this.#lost.failed();
      log.warn({ err: error }, 'could not look for containers that are gone; will look again');
    }
  }

  /** Does work of an attach in its turn. @param work Given a signal of its time, and of a detach that overtakes it. */
  async #inTime<T>(hostInterface: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const calledOff = new AbortController();
    const timeout = AbortSignal.timeout(this.#options.limits.attachMs);
    const signal = AbortSignal.any([calledOff.signal, timeout]);
    const attaching = this.#attaching.get(hostInterface) ?? new Set();
    this.#attaching.set(hostInterface, attaching.add(calledOff));
    try {
      return await this.#turns.run(hostInterface, () => work(signal));
    } finally {
      attaching.delete(calledOff);
      if (attaching.size === 0) this.#attaching.delete(hostInterface);
    }
  }

  async #attach(request: AttachRequest, signal: AbortSignal): Promise<AttachedWorkload> {
    if (signal.aborted) throw abortError(signal, 'earlier calls for the same container');
    const { node, network, families, mtu } = this.#options;
    const record = newRecord({ node, families: families(), mtu: mtu() }, request);
    // Refuses a request that would make no valid endpoint, before anything is done.
    workloadEndpointOf(node, record);

    const known = this.#records.get(record.hostInterface);
    if (known) {
      const isSame = known.state !== 'detaching' && sameJson(known.request, request);
      const isThere = known.state === 'attached' && (await network.exists(known.hostInterface));
      if (isThere && isSame) return attachedWorkload(known);
      if (isThere) {
        throw new AlreadyAttachedError(
          `${request.containerId} has ${request.interface} already, asked for in another way; detach it first`,
        );
      }
      // The same again: what the handle holds is used again. Another: begin with nothing.
      if (!isSame) await this.#clear(known);
    }
    // No pause between looking and writing: another container may ask for the name.
    this.#refuseTakenName(record);
    try {
      this.#linkless.delete(record.hostInterface);
      let attached: WorkloadRecord = { ...record, state: 'attached' };
      await buildWorkload(this.#options, record, signal, {
        begun: this.#records.write(record),
        keep: async (addressed) => {
          attached = { ...addressed, state: 'attached' };
          await this.#records.write(attached);
        },
      });
      return attachedWorkload(attached);
    } catch (error) {
      await this.#leaveHostIfPossible(record);
      throw error;
    }
  }

  /** Two endpoints of one name would be one to the rest of the cluster. A pod's new sandbox may come before its old one has left. */
  #refuseTakenName({ request, hostInterface }: WorkloadRecord): void {
    const { node } = this.#options;
    if (request.orchestrator === 'k8s') return;
    const { name, namespace } = endpointNameOf(node, request);
    for (const other of this.#records.all()) {
      const taken = endpointNameOf(node, other.request);
      if (other.hostInterface === hostInterface || other.state === 'detaching') continue;
      if (taken.name !== name || taken.namespace !== namespace) continue;
      throw new AlreadyAttachedError(
        `the name ${request.name} belongs to container ${other.request.containerId}; detach that first`,
      );
    }
  }

  async #clear(known: WorkloadRecord): Promise<void> {
    await this.#leaveHost(known);
    if ((await this.#settle(known.hostInterface)) === 'settled') return;
    throw new UnavailableError(
      `${known.request.containerId} was attached before, and its addresses could not be given back yet`,
    );
  }

  /** The part of a detach that needs no datastore. */
  async #leaveHost(record: WorkloadRecord): Promise<void> {
    const { network, log } = this.#options;
    const { hostInterface } = record;
    const detaching: WorkloadRecord = { ...record, state: 'detaching' };
    this.#records.note(detaching);
    try {
      await network.remove(hostInterface);
      this.#linkless.add(hostInterface);
    } catch (error) {
      // What is in the journal and has no link is taken apart at the next start; only what has one needs the word.
      await this.#records.write(detaching).catch((reason: unknown) => {
        log.warn({ err: reason, hostInterface }, 'journal did not take a detach');
      });
      throw error;
    }
  }

  /** The same, where another error matters more; the link is removed with the rest, later. */
  async #leaveHostIfPossible(record: WorkloadRecord): Promise<void> {
    try {
      await this.#leaveHost(record);
    } catch (error) {
      const { hostInterface } = record;
      this.#options.log.warn({ err: error, hostInterface }, 'link could not be removed yet');
    }
  }

  /** Finishes a detach; what cannot be finished stays in the journal and is tried again. */
  async #settle(hostInterface: string): Promise<'settled' | 'unreachable' | 'failed'> {
    const { node, ipam, network, endpoints, log } = this.#options;
    const record = this.#records.get(hostInterface);
    if (record?.state !== 'detaching') return 'settled';
    try {
      if (!this.#linkless.has(hostInterface)) await network.remove(hostInterface);
      await endpoints.remove(endpointNameOf(node, record.request));
      await ipam.release(record.handle);
      await this.#records.remove(record);
      this.#linkless.delete(hostInterface);
      return 'settled';
    } catch (error) {
      log.warn({ err: error, hostInterface }, 'detach is not finished; it will be tried again');
      return error instanceof UnavailableError ? 'unreachable' : 'failed';
    }
  }

  /** As {@link #settle}, but goes on in the background when it takes long. @returns Whether it is finished. */
  async #settleSoon(hostInterface: string): Promise<boolean> {
    const settled = this.#turns.run(hostInterface, () => this.#settle(hostInterface));
    const enough = new AbortController();
    const tooLate = delay(this.#options.limits.detachMs, 'failed', { signal: enough.signal });
    try {
      return (await Promise.race([settled, tooLate])) === 'settled';
    } finally {
      tooLate.catch(() => undefined);
      enough.abort();
    }
  }

  async #collectGarbage(): Promise<Garbage | undefined> {
    const { log } = this.#options;
    if (!this.#isJournalWhole || !this.#isCollectionDue) return undefined;
    try {
      const isRecorded = (hostInterface: string): boolean =>
        this.#records.get(hostInterface) !== undefined;
      const exclusively = (hostInterface: string, task: () => Promise<void>): Promise<void> =>
        this.#turns.run(hostInterface, task);
      this.#isCollectionDue = false;
      const garbage = await collectGarbage({ ...this.#options, isRecorded, exclusively });
      if (garbage.addresses.length + garbage.endpoints.length > 0) {
        log.warn(garbage, 'gave back what no workload of this host holds');
      }
      return garbage;
    } catch (error) {
      this.#isCollectionDue = true;
      log.warn(
        { err: error },
        'could not look for addresses that no workload holds; will try again',
      );
      return undefined;
    }
  }
}
