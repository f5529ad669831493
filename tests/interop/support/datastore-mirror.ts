import type { Change, Datastore, Revision, Transaction } from '@overland/datastore';
import { vi } from 'vitest';

/** What a watch has told so far. */
export interface Mirror {
  /** Values by key. */
  readonly state: ReadonlyMap<string, string>;
  /** One for each change: `+/a=1`, `-/a`, `synced`; `failed: …` as the last if it has failed. */
  readonly lines: string[];
}

/** Watches everything, or what has changed since `from`, until `signal` aborts. */
export function mirrorOf(store: Datastore, signal: AbortSignal, from?: Revision): Mirror {
  const state = new Map<string, string>();
  const lines: string[] = [];
  const follow = async (): Promise<void> => {
    for await (const change of store.watch('/', signal, from)) {
      lines.push(lineOf(change));
      if (change.type === 'put') state.set(change.entry.key, change.entry.value);
      if (change.type === 'delete') state.delete(change.key);
    }
  };
  follow().catch((error: unknown) => lines.push(`failed: ${String(error)}`));
  return { state, lines };
}

export function lineOf(change: Change): string {
  if (change.type === 'put') return `+${change.entry.key}=${change.entry.value}`;
  return change.type === 'delete' ? `-${change.key}` : 'synced';
}

export function put(key: string, value: string): Transaction {
  return { conditions: [], operations: [{ type: 'put', key, value }] };
}

/** Waits until `check` passes. @returns After how many milliseconds it did. */
export async function eventually(
  check: () => void | Promise<void>,
  timeout: number,
): Promise<number> {
  const started = performance.now();
  await vi.waitFor(check, { timeout, interval: 20 });
  return performance.now() - started;
}
