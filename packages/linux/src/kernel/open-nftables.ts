import { closeSync } from 'node:fs';
import { errorName } from '../libc.ts';
import { openNamespace, runInNamespace } from '../namespaces.ts';
import { NLMSG } from '../netlink/constants.ts';
import { readAnswer } from '../netlink/message-reader.ts';
import { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { type ListedSet, readSet, writeSetGet } from '../netlink/nft/set-codec.ts';
import type { TablePlace } from '../netlink/nft/table-codec.ts';
import { NETLINK } from '../netlink/open-socket.ts';
import { type Nftables, type NftChange, NftError } from '../nftables.ts';
import { KernelError } from '../ports.ts';
import { foreignNftChanges } from './nft-monitor.ts';
import { NftTransaction, placeOf } from './nft-transaction.ts';
import { readNftTable } from './read-nftables.ts';
import { RuleCache } from './rule-cache.ts';

/** {@link Nftables} over nfnetlink: rules are compiled here, and no program is run. */
export function openNftables(options: { readonly namespace?: string } = {}): KernelNftables {
  return new KernelNftables(options.namespace);
}

/** It has 32 bits, and must not start over inside a transaction. */
const LAST_SEQUENCE = 0xf000_0000;

class KernelNftables implements Nftables, Disposable {
  readonly #namespace: number | undefined;
  readonly #requests: NetlinkSocket;
  /** Apart from `requests`: a table is read in slices, with transactions in between. */
  readonly #listings: NetlinkSocket;
  readonly #resources: DisposableStack;
  readonly #rules = new RuleCache();
  readonly #closed = new AbortController();
  #sequence = 0;
  /** One listing at a time. */
  #listing: Promise<unknown> = Promise.resolve();

  constructor(namespace: string | undefined) {
    this.#namespace = namespace === undefined ? undefined : openNamespace(namespace);
    using opened = new DisposableStack();
    opened.defer(() => {
      if (this.#namespace !== undefined) closeSync(this.#namespace);
    });
    this.#requests = opened.use(this.#inside(() => new NetlinkSocket(NETLINK.netfilter)));
    this.#listings = opened.use(this.#inside(() => new NetlinkSocket(NETLINK.netfilter)));
    this.#resources = opened.move();
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    this.#resources[Symbol.dispose]();
  }

  async transact(changes: readonly NftChange[]): Promise<void> {
    const some = changes.filter((change) => !('elements' in change) || change.elements.length > 0);
    if (some.length === 0) return;
    const context = {
      compile: (rule: string) => this.#rules.compile(rule),
      findSet: (place: TablePlace, set: string) => this.#findSet(place, set),
    };
    if (this.#sequence > LAST_SEQUENCE) this.#sequence = 0;
    const transaction = new NftTransaction(context, this.#sequence);
    for (const change of some) {
      try {
        transaction.add(change);
      } catch (error) {
        if (!(error instanceof NftError)) throw error;
        throw new NftError(`${nameOf(change)}: ${error.message}`, { cause: error, change });
      }
    }
    this.#send(transaction, some);
  }

  fingerprint(rule: string): string {
    return this.#rules.compile(rule).fingerprint;
  }

  async read(table: string) {
    const place = placeOf(table);
    const listing = this.#listing.then(() => readNftTable(this.#listings, place));
    this.#listing = listing.catch(() => undefined);
    try {
      return await listing;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      throw new NftError(`read table ${table}: ${error.message}`, { cause: error });
    }
  }

  foreignChanges(signal: AbortSignal): AsyncIterable<string | undefined> {
    return foreignNftChanges({
      signal: AbortSignal.any([signal, this.#closed.signal]),
      ownPort: this.#requests.port,
      inside: (work) => this.#inside(work),
    });
  }

  #send(transaction: NftTransaction, changes: readonly NftChange[]): void {
    const messages = transaction.finish();
    const before = this.#sequence;
    this.#sequence = transaction.sequence;
    let [isDone, refusal]: [boolean, NftError | undefined] = [false, undefined];
    try {
      this.#requests.transact(messages, (message) => {
        if (message.type !== NLMSG.error || message.sequence <= before) return;
        const { errno, detail } = readAnswer(message);
        if (errno === 0) isDone = true;
        // Those that follow the first mostly follow from it.
        else refusal ??= refusalOf(changes[transaction.changeOf(message.sequence)], errno, detail);
      });
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      // So many answers that some were lost are refusals: a success is one.
      refusal ??= new NftError(`nftables transaction: ${error.message}`, { cause: error });
    }
    if (refusal) throw refusal;
    if (!isDone) throw new NftError('nftables transaction: the kernel did not answer');
  }

  #findSet(place: TablePlace, set: string): ListedSet | undefined {
    let found: ListedSet | undefined;
    const refusal = this.#requests.get(
      (writer) => writeSetGet(writer, { ...place, set }),
      (message) => {
        found = readSet(message);
      },
    );
    if (refusal === undefined || refusal === 'ENOENT') return found;
    throw new NftError(`find set ${set} of table ${place.table}: ${refusal}`);
  }

  #inside<T>(work: () => T): T {
    if (this.#namespace === undefined) return work();
    // Boxed, so that the type cannot be mistaken for a promise.
    return runInNamespace(this.#namespace, () => ({ value: work() })).value;
  }
}

function refusalOf(change: NftChange | undefined, errno: number, detail: string): NftError {
  const what = change ? nameOf(change) : 'nftables transaction';
  const reason = [errorName(errno), detail].filter(Boolean).join(', ');
  return new NftError(`${what}: ${reason}`, change && { change });
}

/** `add-rule inet overland to-cali1 "drop"`. */
function nameOf(change: NftChange): string {
  const { type, table } = change;
  const part = 'chain' in change ? change.chain : 'set' in change ? change.set : '';
  const rule = change.type === 'add-rule' ? JSON.stringify(change.rule) : '';
  return [type, table, part, rule].filter(Boolean).join(' ');
}
