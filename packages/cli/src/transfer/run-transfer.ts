import type { Datastore, TransferReport, TransferSource } from '@overland/datastore';
import { type CommandContext, FailureError } from '../command.ts';
import { actionPrinter, printReport } from './print-transfer.ts';
import { transferProgress } from './transfer-progress.ts';

export interface TransferRequest {
  readonly source: TransferSource;
  readonly target: Datastore;
  /** For people. */
  readonly place: string;
  readonly overwrite: boolean;
  readonly dryRun: boolean;
  readonly output: 'table' | 'json';
}

/** Transfers, shows how it goes, and prints what it came to. @throws {TransferConflictError} If something differs. */
export async function runTransfer(
  context: CommandContext,
  request: TransferRequest,
): Promise<void> {
  const { stdout } = context;
  const { dryRun, output } = request;
  const isJson = output === 'json';
  if (isJson && dryRun) stdout.write('{"keys":[\n');
  const report = await transferShown(context, request).catch(withRemedy);
  if (isJson) {
    const text = JSON.stringify(report, undefined, dryRun ? 0 : 2);
    stdout.write(dryRun ? `\n],"report":${text}}\n` : `${text}\n`);
    return;
  }
  printReport(context, report);
  stdout.write(`${outcomeOf(report, request)}\n`);
}

async function transferShown(
  context: CommandContext,
  { source, target, overwrite, dryRun, output }: TransferRequest,
): Promise<TransferReport> {
  const { transfer } = await import('@overland/datastore');
  using progress = transferProgress(context);
  return await transfer({
    source,
    target,
    overwrite,
    dryRun,
    ...(dryRun && { onCompared: actionPrinter(context.stdout, output === 'json') }),
    onProgress: {
      compared: (keys) => progress.say('compared', keys),
      written: (keys) => progress.say('written', keys),
    },
  });
}

function withRemedy(error: unknown): never {
  if (!(error instanceof Error) || error.name !== 'TransferConflictError') throw error;
  const message = `${error.message}\n--overwrite replaces them, --dry-run shows all keys`;
  throw new FailureError(message, { cause: error });
}

function outcomeOf(
  { total, locked }: TransferReport,
  { place, dryRun, overwrite }: TransferRequest,
): string {
  const { create, change } = total;
  const keys = create + change === 1 ? '1 key' : `${create + change} keys`;
  if (dryRun && change > 0 && !overwrite) {
    return `Dry run: ${change} of the keys differ in ${place}: without --overwrite nothing would be written`;
  }
  if (dryRun) return `Dry run: ${keys} would be written to ${place}`;
  const written = `${keys} written to ${place}`;
  if (!locked) return written;
  return `${written}. It is locked: agents change nothing in it until 'overland datastore unlock'`;
}
