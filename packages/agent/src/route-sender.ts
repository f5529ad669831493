import type { RouteBatch } from '@overland/net';

/** Batches that may be under way to the dataplane at once: enough to keep it busy, few enough to coalesce behind. */
const WINDOW = 8;

/** Routes per batch: 128 netlink messages per send, and some sends per turn of the dataplane's loop. */
const MAX_RECORDS = 1024;

/** Where batches come from. */
export interface RouteSource {
  nextRouteBatch(maxRecords: number): RouteBatch | undefined;
}

/**
 * Moves route batches to the dataplane, at most {@link WINDOW} ahead of its acknowledgements. What does not fit
 * stays in the route engine, where newer changes replace older ones.
 *
 * @param deliver Resolves when the batch is in the kernel.
 * @param onFailure The dataplane has not taken a batch; what it holds is then unknown.
 */
export function routeSender(
  source: RouteSource,
  deliver: (batch: RouteBatch) => Promise<void>,
  onFailure: (error: unknown) => void,
): { readonly pump: () => void; readonly pending: () => number } {
  let pending = 0;
  const pump = (): void => {
    while (pending < WINDOW) {
      const batch = source.nextRouteBatch(MAX_RECORDS);
      if (!batch) return;
      pending++;
      deliver(batch).then(() => {
        pending--;
        pump();
      }, onFailure);
    }
  };
  return { pump, pending: () => pending };
}
