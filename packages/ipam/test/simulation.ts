import {
  type Datastore,
  type ListOptions,
  type Transaction,
  UnavailableError,
} from '@overland/datastore';

/** What becomes of a process's next datastore call. */
export type Fate =
  | 'run'
  /** The process dies before the call is sent. */
  | 'die-before'
  /** The call is applied, but the process dies before it hears so. */
  | 'die-after'
  /** The call is applied, the answer is lost: the process sees `UnavailableError`. */
  | 'lose-answer'
  /** The call is not applied; the process sees `UnavailableError`. */
  | 'lose-request';

interface PendingCall {
  readonly perform: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** A planted fault: what really happens to a transaction, as one or more of them. */
export type Fault = (transaction: Transaction) => readonly Transaction[];

/**
 * A process whose datastore calls wait until the simulation lets them go on, one at a time: it can be
 * stopped before and after any of them.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly datastore: Datastore;
  /** Set when the program has ended, well or not. */
  outcome: 'done' | 'dead' | { readonly error: unknown } | undefined;
  readonly #calls: PendingCall[] = [];

  constructor(name: string, store: Datastore, fault: Fault = (transaction) => [transaction]) {
    const refuse = (): never => {
      throw new Error('not simulated');
    };
    this.name = name;
    this.datastore = {
      isPrivate: store.isPrivate,
      get: (key: string) => this.#call(() => store.get(key)),
      list: (prefix: string, options?: ListOptions) =>
        this.#call(() => store.list(prefix, options)),
      transact: async (transaction: Transaction) => {
        const [first = transaction, ...rest] = fault(transaction);
        let revision = await this.#call(() => store.transact(first));
        for (const part of rest) revision = await this.#call(() => store.transact(part));
        return revision;
      },
      watch: refuse,
      lease: refuse,
      compact: refuse,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  /** Starts a program; its end is noted in {@link outcome}. */
  start(program: () => Promise<void>): void {
    program().then(
      () => {
        this.outcome ??= 'done';
      },
      (error: unknown) => {
        this.outcome ??= { error };
      },
    );
  }

  get isReady(): boolean {
    return this.outcome === undefined && this.#calls.length > 0;
  }

  /** Lets the oldest waiting call go on. */
  async advance(fate: Fate): Promise<void> {
    const call = this.#calls.shift();
    if (!call) throw new Error(`${this.name} has nothing to do`);
    if (fate === 'die-before') this.outcome = 'dead';
    if (fate === 'lose-request') call.reject(new UnavailableError('no answer'));
    if (fate === 'die-before' || fate === 'lose-request') return;
    try {
      const value = await call.perform();
      if (fate === 'run') call.resolve(value);
    } catch (error) {
      if (fate === 'run') call.reject(error);
    }
    if (fate === 'die-after') this.outcome = 'dead';
    if (fate === 'lose-answer') call.reject(new UnavailableError('no answer'));
  }

  #call<T>(perform: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ perform, resolve: resolve as PendingCall['resolve'], reject });
    });
  }
}
