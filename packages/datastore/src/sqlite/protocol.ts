import type {
  Change,
  Entry,
  LeaseId,
  ListOptions,
  Page,
  Revision,
  Transaction,
} from '../datastore.ts';

/** What the worker can be asked, with the type of the answer. */
export interface Calls {
  readonly open: { readonly arguments: Record<string, never>; readonly answer: undefined };
  readonly get: { readonly arguments: { key: string }; readonly answer: Entry | undefined };
  readonly list: {
    readonly arguments: { prefix: string; options: ListOptions };
    readonly answer: Page;
  };
  readonly transact: {
    readonly arguments: { transaction: Transaction };
    readonly answer: Revision;
  };
  readonly grant: { readonly arguments: { ttlMs: number }; readonly answer: LeaseId };
  readonly compact: { readonly arguments: { revision: Revision }; readonly answer: undefined };
  readonly revoke: { readonly arguments: { lease: LeaseId }; readonly answer: undefined };
}

export type CallName = keyof Calls;

/** One call: answered or failed under the same `id`. */
export type Call = {
  readonly [Name in CallName]: {
    readonly type: 'call';
    readonly id: number;
    readonly name: Name;
    readonly arguments: Calls[Name]['arguments'];
  };
}[CallName];

export type ToWorker =
  | Call
  | {
      readonly type: 'watch';
      readonly id: number;
      readonly prefix: string;
      readonly from: Revision | undefined;
    }
  /** The last batch of the watch has arrived: send the next. */
  | { readonly type: 'acknowledge'; readonly id: number }
  | { readonly type: 'unwatch'; readonly id: number }
  | { readonly type: 'close' };

/** An error, in a form that survives the way between threads. */
export type Failure =
  | { readonly name: 'ConflictError'; readonly key: string; readonly actual: Entry | undefined }
  | { readonly name: string; readonly message: string };

export type FromWorker =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'changes'; readonly id: number; readonly changes: readonly Change[] }
  /** The reader of a watch is in sync as of `revision`: these keys it knows from elsewhere. */
  | {
      readonly type: 'known';
      readonly id: number;
      readonly keys: readonly string[];
      readonly revision: Revision;
    }
  /** The watch cannot go on. */
  | { readonly type: 'broken'; readonly id: number; readonly failure: Failure }
  | { readonly type: 'lost'; readonly lease: LeaseId };

/** What the worker is started with. */
export interface WorkerOptions {
  readonly path: string;
  readonly deadlineMs: number;
}
