import { type Iptables, KernelError } from '@overland/linux';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';

/** Between questions whether tables have changed: they cost microseconds. */
const CHECK_MS = 500;
/** Between looks at everything, members of sets included, whose changes nothing tells. */
const LOOK_MS = 10_000;

/** Tells that tables of iptables over nftables have changed. */
export type TableNotices = (signal: AbortSignal) => AsyncIterable<unknown>;

export interface IptablesChangesOptions {
  readonly iptables: Pick<Iptables, 'signature'>;
  readonly notices?: TableNotices | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * When somebody may have changed iptables: `tables` soon after they have become others, our own doing included;
 * `everything` now and then.
 */
export async function* iptablesChanges(
  { iptables, notices, clock, log }: IptablesChangesOptions,
  signal: AbortSignal,
): AsyncGenerator<'tables' | 'everything'> {
  let isTold = false;
  let signature = signatureOf(iptables);
  let lookedAtMs = clock.now();
  const listen = async (): Promise<void> => {
    for await (const _ of notices?.(signal) ?? []) isTold = true;
  };
  listen().catch((error: unknown) => {
    log.warn({ err: error }, 'nothing tells of changes of iptables any more: it is looked at');
  });
  while (await passes(CHECK_MS, clock, signal)) {
    const found = signatureOf(iptables);
    const isLate = clock.now() - lookedAtMs >= LOOK_MS;
    if (!isTold && !isLate && found === signature) continue;
    signature = found;
    isTold = false;
    if (isLate) lookedAtMs = clock.now();
    yield isLate ? 'everything' : 'tables';
  }
}

/** While tables come and go the kernel may have no answer: that is a difference, too. */
function signatureOf(iptables: IptablesChangesOptions['iptables']): string | undefined {
  try {
    return iptables.signature?.();
  } catch (error) {
    if (error instanceof KernelError) return error.message;
    throw error;
  }
}

/** @returns False if it was aborted before. */
async function passes(delayMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => resolve();
  const cancel = clock.schedule(delayMs, wake);
  signal.addEventListener('abort', wake, { once: true });
  await promise;
  cancel();
  signal.removeEventListener('abort', wake);
  return !signal.aborted;
}
