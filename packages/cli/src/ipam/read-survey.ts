import type { Datastore } from '@overland/datastore';
import type { Survey } from '@overland/ipam';
import type { CommandContext } from '../command.ts';
import { showProgress } from '../progress.ts';

/** A cluster that is read within this time needs no words about it. */
const QUIET_MS = 2000;

/** Reads all that concerns addresses; says how far it is when that takes long. */
export async function readSurvey(
  context: Pick<CommandContext, 'stderr' | 'isInteractive'>,
  datastore: Datastore,
): Promise<Survey> {
  const { takeSurvey } = await import('@overland/ipam');
  const started = performance.now();
  using progress = showProgress(context);
  return await takeSurvey(datastore, new Date(), (entries) => {
    if (performance.now() - started > QUIET_MS) progress.say(`${entries} entries read`);
  });
}
