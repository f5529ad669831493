import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AddressHolder,
  differenceOf,
  emptyPolicyState,
  type FilterMode,
  type FlowCounts,
  filterModeOf,
  isEmptyChange,
  type JudgedFlow,
  judgeFlows,
  PolicyCalculation,
  type PolicyChange,
  type PolicyState,
  type ProgrammedEndpoint,
  programmedEndpoint,
  unusableNetworkSet,
  unusablePolicy,
} from '@overland/felix';
import {
  type FelixConfiguration,
  fromStoredForm,
  type Kind,
  type Labels,
  parseJson,
  parseResourceKey,
  type ResourceName,
} from '@overland/model';
import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import { NetworkSetReader } from './network-set-reader.ts';
import type { Problem } from './node-publisher.ts';
import { type DecodedResource, decodeResource } from './stored-resources.ts';

/** Some milliseconds of work. */
const STEP_UNITS = 20_000;

/** Members of sets that are told at a time, about: what is told is copied at once. */
const MEMBERS_PER_CHANGE = 50_000;

export interface PolicyPublisherOptions {
  readonly nodeName: string;
  /** Resolves when the receiver may be told. */
  readonly beforeChange: (change: PolicyChange) => Promise<void>;
  /** The receiver of what is computed. It has been told when this returns, and has it when this resolves. */
  readonly changePolicy: (change: PolicyChange) => Promise<void>;
  /** The receiver of what FelixConfigurations say of the packet filter. */
  readonly setFilterMode: (mode: FilterMode) => Promise<void>;
  readonly log: Logger;
}

/** Computes what this host's packet filter should hold from stored entries, each decoded once, and sends what changes. */
export class PolicyPublisher {
  readonly #options: PolicyPublisherOptions;
  readonly #calculation: PolicyCalculation;
  readonly #networkSets = new NetworkSetReader();
  readonly #unreadable = new Map<string, string>();
  /** What the dataplane goes by until the datastore has been read. */
  #snapshot: PolicyState | undefined;
  readonly #felixConfigurations = new Map<string, FelixConfiguration>();
  /** Of the own Node: FelixConfigurations may be for nodes like it. */
  #labels: Labels = {};
  /** What the dataplane has been told of it. */
  #filterMode: string | undefined;
  /** What was told last, on its way. */
  #taken: Promise<void> = Promise.resolve();
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
    this.#isDirty = true;
    this.#unreadable.delete(key);
    if (value === undefined) {
      this.#networkSets.forget(key);
      if (kind === 'FelixConfiguration') this.#felixConfigurations.delete(name.name);
      this.#calculation.update(kind, name, undefined);
      return;
    }
    const decoded = this.#decode(kind, key, value);
    if (decoded.type === 'resource') {
      const { resource } = decoded;
      if (resource.kind === 'FelixConfiguration') {
        this.#felixConfigurations.set(name.name, resource);
      } else if (resource.kind === 'Node' && name.name === this.#options.nodeName) {
        this.#labels = resource.metadata.labels ?? {};
      }
      this.#calculation.update(kind, name, resource);
      return;
    }
    this.#noteUnreadable(key, decoded.message);
    this.#calculation.update(kind, name, standIn(kind, name, { value, fault: decoded.message }));
  }

  /** Sends what an earlier agent computed last: it stands in until the datastore has been read. */
  async publishSnapshot(state: PolicyState): Promise<void> {
    this.#snapshot = state;
    await this.#send(differenceOf(emptyPolicyState(), state, false));
    await this.#taken;
  }

  /**
   * Sends what the entries have changed, once they are all there are.
   *
   * @returns Whether there was something; it is on its way then.
   */
  async publish(): Promise<boolean> {
    if (!this.#isDirty) return false;
    this.#isDirty = false;
    await this.#publishFilterMode();
    // In pieces: other work of the thread comes between.
    while (this.#calculation.step(STEP_UNITS)) await nextTurn();
    if (this.#snapshot === undefined) return this.#sendChanges();
    await this.#replaceSnapshot(this.#snapshot);
    return true;
  }

  /** Resolves when the dataplane has what was sent. */
  get taken(): Promise<void> {
    return this.#taken;
  }

  /** What the packet filter should hold, as it was sent last; members of sets as they are now. */
  get state(): PolicyState {
    return this.#snapshot ?? this.#calculation.state;
  }

  /** What the packet filter is told of a workload. @param text Name, interface or address. */
  programmed(text: string): ProgrammedEndpoint | undefined {
    return programmedEndpoint(text, this.state, this.#calculation.setTexts);
  }

  /** Which rules decide about flows, and which endpoints and network sets have their addresses. */
  describe(counts: readonly FlowCounts[]): {
    readonly flows: readonly JudgedFlow[];
    /** Of their ends. */
    readonly addresses: ReadonlySet<IpAddress>;
    readonly holders: ReadonlyMap<IpAddress, AddressHolder>;
  } {
    const flows = judgeFlows(counts, this.state);
    const addresses = new Set(flows.flatMap(({ source, destination }) => [source, destination]));
    return { flows, addresses, holders: this.#calculation.holdersOf(addresses) };
  }

  /** Resources that have no effect, or not all of it. */
  problems(): Problem[] {
    const lists = [...this.state.lists.values()];
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

  async #sendChanges(): Promise<boolean> {
    let hasSent = false;
    do {
      const change = this.#calculation.flush({ synced: true, members: MEMBERS_PER_CHANGE });
      // The first one says that there is nothing, too.
      if (isEmptyChange(change) && this.#isSynced) continue;
      this.#isSynced ||= change.synced;
      await this.#send(change);
      hasSent = true;
    } while (this.#calculation.hasMore);
    return hasSent;
  }

  async #publishFilterMode(): Promise<void> {
    const node = { name: this.#options.nodeName, labels: this.#labels };
    const mode = filterModeOf([...this.#felixConfigurations.values()], node);
    const text = JSON.stringify(mode);
    if (this.#filterMode === text) return;
    this.#filterMode = text;
    await this.#options.setFilterMode(mode);
  }

  /** The calculation has begun at nothing, but the dataplane at the snapshot. */
  async #replaceSnapshot(snapshot: PolicyState): Promise<void> {
    this.#calculation.flush({ synced: true });
    this.#snapshot = undefined;
    this.#isSynced = true;
    await this.#send(differenceOf(snapshot, this.#calculation.state, true));
  }

  /** One at a time: what is told is copied. Resolves when it is on its way. */
  async #send(change: PolicyChange): Promise<void> {
    await this.#taken;
    await this.#options.beforeChange(change);
    this.#taken = this.#options.changePolicy(change);
    // Whoever waits for it learns of it.
    this.#taken.catch(() => undefined);
  }

  #decode(kind: Kind, key: string, value: string): DecodedResource {
    return NetworkSetReader.isFor(kind)
      ? this.#networkSets.read(kind, key, value)
      : decodeResource(kind, value);
  }

  #noteUnreadable(key: string, message: string): void {
    this.#unreadable.set(key, message);
    this.#options.log.warn(
      { resource: key, reason: message },
      'resource has no effect or not all of it',
    );
  }
}

/** What takes the place of an object that cannot be read; `undefined`: nothing. */
function standIn(
  kind: Kind,
  name: ResourceName,
  { value, fault }: { readonly value: string; readonly fault: string },
) {
  const unusable = () => ({ stored: fromStoredForm(kind, jsonIn(value)), fault });
  switch (kind) {
    case 'NetworkPolicy':
    case 'GlobalNetworkPolicy':
      return unusablePolicy(kind, name, unusable());
    case 'NetworkSet':
    case 'GlobalNetworkSet':
      return unusableNetworkSet(kind, name, unusable());
    default:
      return undefined;
  }
}

function jsonIn(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
