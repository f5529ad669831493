import type { CommandContext } from '../command.ts';
import type { RegistryEntry } from '../registry.ts';
import { type Candidate, findCandidates } from './find-candidates.ts';
import { kindCandidates, namespaceNames, objectNames, workloadNames } from './object-names.ts';

/** Who presses Tab waits no longer for the datastore. */
const DEADLINE_MS = 2000;

/**
 * `overland __complete -- WORD...`, for the scripts that `completion` prints: writes what may stand in the place of
 * the last word, one per line with its meaning behind a tab, or `:files` if file names may. Says nothing when
 * something is wrong: the shell would show it in the middle of what is being typed.
 */
export async function answerShell(
  words: readonly string[],
  context: CommandContext,
  commands: readonly RegistryEntry[],
): Promise<void> {
  try {
    const answer = await answerTo(words.length > 0 ? words : [''], context, commands);
    context.stdout.write(answer);
  } catch {
    // No answer.
  }
}

async function answerTo(
  words: readonly string[],
  context: CommandContext,
  commands: readonly RegistryEntry[],
): Promise<string> {
  const completion = await findCandidates(words, commands);
  const begun = words.at(-1) ?? '';
  switch (completion.type) {
    case 'files':
      return ':files\n';
    case 'words':
      return linesOf(completion.candidates, '');
    case 'kinds':
      return linesOf(await kindCandidates(), begun);
    case 'names': {
      const names = await withinDeadline(objectNames(context, completion));
      return namesText(
        names.filter((name) => !completion.given.includes(name)),
        begun,
      );
    }
    case 'namespaces':
      return namesText(await withinDeadline(namespaceNames(context, completion)), begun);
    case 'workloads':
      return namesText(await withinDeadline(workloadNames(context)), begun);
  }
}

function namesText(names: readonly string[], begun: string): string {
  return linesOf(
    names.map((word) => ({ word, meaning: '' })),
    begun,
  );
}

function linesOf(candidates: readonly Candidate[], begun: string): string {
  const fitting = candidates.filter(({ word }) => word.startsWith(begun));
  return fitting.map(({ word, meaning }) => `${word}\t${meaning}\n`).join('');
}

async function withinDeadline<T>(work: Promise<T>): Promise<T> {
  const expired = new Promise<never>((_resolve, reject) => {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    deadline.addEventListener('abort', () => reject(new Error('too slow')));
  });
  return await Promise.race([work, expired]);
}
