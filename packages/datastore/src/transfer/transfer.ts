import { CLUSTER_INFORMATION_KEY } from '@overland/model';
import type { Datastore, Entry } from '../datastore.ts';
import { ConflictError } from '../errors.ts';
import { batchesOf } from './batches.ts';
import { type Compared, compare, transactionFor, type Verdict } from './compare.ts';
import { type ImportLock, importLock, setClusterInformation, staysLocked } from './import-lock.ts';
import { inFlight } from './in-flight.ts';
import { keyRange, type LeftOut, Tally, TRANSFER_PREFIXES } from './key-ranges.ts';
import { pagesAt } from './read-datastore.ts';
import { exposedSecrets, holdsSecret } from './secret-keys.ts';
import type { KeyValue, OnProgress, TransferSource } from './source.ts';

const BATCHES_IN_FLIGHT = 8;
const MAX_ATTEMPTS = 10;
/** Keys that an error names. */
const NAMED_KEYS = 20;

/** What one key comes to. */
interface TransferAction {
  readonly key: string;
  readonly verdict: Verdict;
}

export interface TransferOptions {
  readonly source: TransferSource;
  readonly target: Datastore;
  /** Replace objects of the target that differ. Without it any such object stops everything. */
  readonly overwrite?: boolean;
  /** Compare only. */
  readonly dryRun?: boolean;
  /** Told each key as it is compared, before anything is written. */
  readonly onCompared?: (action: TransferAction) => void;
  /** Told how many keys have been compared, and then how many have been written. */
  readonly onProgress?: { readonly compared?: OnProgress; readonly written?: OnProgress };
}

/** Keys of one kind, by what became of them. */
type VerdictCounts = Readonly<Record<Verdict, number>>;

export interface TransferReport {
  readonly revision: string;
  readonly counts: Readonly<Record<string, VerdictCounts>>;
  readonly total: VerdictCounts;
  /** Keys of the target that the source does not have: they stay. */
  readonly onlyInTarget: number;
  readonly leftOut: readonly LeftOut[];
  /** Whether the target is locked now. */
  readonly locked: boolean;
}

/** Objects of the target differ from those that are to take their place. */
export class TransferConflictError extends Error {
  override readonly name = 'TransferConflictError';
  /** Some of them. */
  readonly keys: readonly string[];
  readonly count: number;

  constructor(keys: readonly string[], count: number, when: string) {
    const more = count > keys.length ? `\nand ${count - keys.length} more` : '';
    super(
      `${count === 1 ? 'a key differs' : `${count} keys differ`} in the target${when}:\n${keys.join('\n')}${more}`,
    );
    this.keys = keys;
    this.count = count;
  }
}

/**
 * Brings everything a source has into a datastore. Everything is compared first; then the target is locked while it is
 * written to, and comes out as locked or unlocked as the source was. Interrupted at any point, it can be begun again:
 * what is there is not written twice.
 *
 * @throws {TransferConflictError} If objects of the target differ, unless they may be overwritten.
 * @throws {ValidationError} If a secret would be sent to an etcd without TLS.
 * @throws {LimitError} If a value is too large for the target.
 */
export async function transfer(options: TransferOptions): Promise<TransferReport> {
  const { source, target, overwrite = false, dryRun = false } = options;
  const survey = await compareAll(options);
  const { lock, tally, differing, exposed } = survey;
  if (exposed.length > 0) throw exposedSecrets(exposed);
  if (tally.total.change > 0 && !overwrite && !dryRun) {
    throw new TransferConflictError(differing, tally.total.change, '');
  }
  const report: TransferReport = {
    revision: source.revision,
    counts: tally.counts,
    total: tally.total,
    onlyInTarget: survey.onlyInTarget,
    leftOut: source.leftOut(),
    locked: staysLocked(lock),
  };
  const isDone = tally.total.create + tally.total.change === 0 && lock.isSettled;
  if (dryRun || isDone) return report;
  const held = await setClusterInformation(target, survey.clusterInformation, lock.during);
  await writeAll(options);
  await setClusterInformation(target, held, lock.after);
  return report;
}

interface Survey {
  readonly lock: ImportLock;
  /** Of the target. */
  readonly clusterInformation: Entry | undefined;
  readonly tally: VerdictTally;
  readonly differing: readonly string[];
  /** Keys with secrets, on a way on which others can read them. */
  readonly exposed: readonly string[];
  /** Keys that the source does not have. */
  readonly onlyInTarget: number;
}

async function compareAll({
  source,
  target,
  onCompared,
  onProgress,
}: TransferOptions): Promise<Survey> {
  const tally = new VerdictTally();
  const differing: string[] = [];
  const exposed: string[] = [];
  const note = (key: string, verdict: Verdict): void => {
    tally.add(key, verdict);
    if (verdict === 'change' && differing.length < NAMED_KEYS) differing.push(key);
    onCompared?.({ key, verdict });
  };
  let exported: string | undefined;
  const watched: TransferSource = {
    ...source,
    async *pages() {
      for await (const page of source.pages()) {
        exported ??= page.find(({ key }) => key === CLUSTER_INFORMATION_KEY)?.value;
        yield page;
      }
    },
  };
  await inFlight(batchesOf(watched, CLUSTER_INFORMATION_KEY), BATCHES_IN_FLIGHT, async (batch) => {
    for (const { wanted, verdict } of await compare(target, batch)) {
      note(wanted.key, verdict);
      if (target.isPrivate || verdict === 'same' || !holdsSecret(wanted)) continue;
      if (exposed.length < NAMED_KEYS) exposed.push(wanted.key);
    }
    onProgress?.compared?.(tally.keys);
  });
  const shared = tally.total.same + tally.total.change;
  const onlyInTarget = Math.max(0, (await countKeys(target)) - shared);
  const clusterInformation = await target.get(CLUSTER_INFORMATION_KEY);
  const lock = importLock(exported, clusterInformation);
  if (exported !== undefined) note(CLUSTER_INFORMATION_KEY, lock.verdict);
  return { lock, clusterInformation, tally, differing, exposed, onlyInTarget };
}

/** Keys that would move, but for the ClusterInformation. */
async function countKeys(store: Datastore): Promise<number> {
  const tally = new Tally();
  for (const prefix of TRANSFER_PREFIXES) {
    for await (const entries of pagesAt(store, prefix)) {
      for (const { key } of entries) if (key !== CLUSTER_INFORMATION_KEY) tally.add(key);
    }
  }
  return tally.total;
}

async function writeAll({
  source,
  target,
  overwrite = false,
  onProgress,
}: TransferOptions): Promise<void> {
  let keys = 0;
  await inFlight(batchesOf(source, CLUSTER_INFORMATION_KEY), BATCHES_IN_FLIGHT, async (batch) => {
    await writeBatch(target, batch, overwrite);
    keys += batch.length;
    onProgress?.written?.(keys);
  });
}

/** Writes what differs; mostly everything or nothing, so everything is tried first. */
async function writeBatch(
  target: Datastore,
  batch: readonly KeyValue[],
  overwrite: boolean,
): Promise<void> {
  let compared: readonly Compared[] = batch.map((wanted) => {
    return { wanted, verdict: 'create', actual: undefined };
  });
  for (let attempt = 1; ; attempt++) {
    const changed = compared.filter(({ verdict }) => verdict === 'change');
    if (changed.length > 0 && !overwrite) {
      const keys = changed.map(({ wanted }) => wanted.key);
      throw new TransferConflictError(keys, keys.length, ', written by somebody else meanwhile');
    }
    const transaction = transactionFor(compared);
    if (transaction.operations.length === 0) return;
    try {
      await target.transact(transaction);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === MAX_ATTEMPTS) throw error;
      compared = await compare(target, batch);
    }
  }
}

class VerdictTally {
  readonly #counts = new Map<string, Record<Verdict, number>>();
  readonly total = noVerdicts();

  add(key: string, verdict: Verdict): void {
    const { what } = keyRange(key);
    const counts = this.#counts.get(what) ?? noVerdicts();
    this.#counts.set(what, counts);
    counts[verdict]++;
    this.total[verdict]++;
  }

  get keys(): number {
    return this.total.create + this.total.change + this.total.same;
  }

  /** By name. */
  get counts(): Readonly<Record<string, VerdictCounts>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function noVerdicts(): Record<Verdict, number> {
  return { create: 0, change: 0, same: 0 };
}
