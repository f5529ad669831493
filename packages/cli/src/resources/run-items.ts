import type { WorkItem } from './work-items.ts';

/** What became of one item. */
export type ItemResult = {
  readonly item: WorkItem;
} & (
  | {
      readonly outcome: Outcome;
      /** What else was done, for a person: what a deletion took along. */
      readonly notes?: readonly string[];
    }
  | { readonly outcome: 'failed'; readonly error: unknown }
);

type Outcome = 'created' | 'updated' | 'unchanged' | 'deleted' | 'skipped';

/** What was done about an item. */
export type Done = { readonly outcome: Outcome; readonly notes?: readonly string[] };

export interface ItemRun {
  readonly signal: AbortSignal;
  /** Called when an item has been dealt with. */
  readonly onResult: (result: ItemResult) => void;
  /** Most items under way at a time. */
  readonly inFlight?: number;
}

/** What is under way shares requests to etcd (decision 0091); more than this gains little. */
const IN_FLIGHT = 32;

/** Others name them or must not overlap with them: they are dealt with one after the other, apart from the rest. */
const ORDERED_KINDS: ReadonlySet<string> = new Set(['IPPool', 'Tier']);

/** Not tried, because the work was broken off. */
export class NotTriedError extends Error {
  override readonly name: string;

  constructor(reason: string, name: string, cause?: unknown) {
    super(`not tried: ${reason}`, { cause });
    this.name = name;
  }
}

/**
 * Does `work` for each item, several at a time, in an order that gives what one after the other would: pools and
 * tiers alone and in their order, and an object that stands twice twice. Goes on after a failure, except when the
 * datastore cannot be reached: then nothing further is tried.
 *
 * @returns In the order of the items.
 */
export async function runItems(
  items: readonly WorkItem[],
  work: (item: WorkItem) => Promise<Done>,
  { signal, onResult, inFlight = IN_FLIGHT }: ItemRun,
): Promise<ItemResult[]> {
  const results = new Map<WorkItem, ItemResult>();
  let broken: NotTriedError | undefined;
  const runOne = async (item: WorkItem): Promise<void> => {
    const result = await attempt(item, work, broken ?? interruption(signal));
    if (result.outcome === 'failed' && isOutage(result.error)) {
      broken ??= new NotTriedError('the datastore cannot be reached', 'UnavailableError');
    }
    results.set(item, result);
    onResult(result);
  };
  for (const { batch, isOrdered } of batchesOf(items)) {
    const lanes = isOrdered ? 1 : Math.min(inFlight, batch.length);
    let next = 0;
    let ahead = lanes;
    const lane = async (): Promise<void> => {
      for (let item = batch[next++]; item; item = batch[next++]) {
        const done = runOne(item);
        onceSent(() => prepare(batch[ahead++]));
        await done;
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }
  return items.flatMap((item) => results.get(item) ?? []);
}

/** Validates a manifest while there is nothing to do but wait for the datastore. */
function prepare(item: WorkItem | undefined): void {
  void item?.content;
}

/** After two turns of the event loop: what was to be sent has been written to its socket by then. */
function onceSent(work: () => void): void {
  setImmediate(() => setImmediate(work));
}

async function attempt(
  item: WorkItem,
  work: (item: WorkItem) => Promise<Done>,
  broken: Error | undefined,
): Promise<ItemResult> {
  const { content } = item;
  if (content.type === 'invalid') return { item, outcome: 'failed', error: content.error };
  if (broken) return { item, outcome: 'failed', error: broken };
  try {
    return { item, ...(await work(item)) };
  } catch (error) {
    return { item, outcome: 'failed', error };
  }
}

function interruption(signal: AbortSignal): Error | undefined {
  return signal.aborted ? new NotTriedError('interrupted', 'InterruptedError') : undefined;
}

function isOutage(error: unknown): boolean {
  return error instanceof Error && error.name === 'UnavailableError';
}

interface Batch {
  readonly batch: readonly WorkItem[];
  readonly isOrdered: boolean;
}

/** Parts whose items may be dealt with in any order; the parts themselves may not. */
function* batchesOf(items: readonly WorkItem[]): Generator<Batch> {
  let batch: WorkItem[] = [];
  let isOrdered = false;
  let objects = new Set<string>();
  for (const item of items) {
    const object = JSON.stringify([item.kind, item.name?.namespace, item.name?.name]);
    const ordered = item.kind !== undefined && ORDERED_KINDS.has(item.kind);
    if (batch.length > 0 && (ordered !== isOrdered || objects.has(object))) {
      yield { batch, isOrdered };
      batch = [];
      objects = new Set();
    }
    batch.push(item);
    if (item.name) objects.add(object);
    isOrdered = ordered;
  }
  if (batch.length > 0) yield { batch, isOrdered };
}
