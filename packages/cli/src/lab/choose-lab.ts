import { knownLabs } from '@overland/lab';
import { type CommandContext, type OptionSpec, UsageError } from '../command.ts';

export const NAME_OPTION = {
  type: 'string',
  value: 'lab',
  summary: 'which lab, if several run',
} as const satisfies OptionSpec;

/** @throws {UsageError} Unless we are root: namespaces need it. */
export function requireRoot({ isRoot }: Pick<CommandContext, 'isRoot'>, what: string): void {
  if (!isRoot) throw new UsageError(`${what} needs root (sudo): it makes network namespaces`);
}

/** The lab that a command is about: the one named, or the only one that runs. @throws {UsageError} */
export async function chooseLab(name: string | undefined): Promise<string> {
  if (name !== undefined) return name;
  const names = await knownLabs();
  const [only] = names;
  if (only === undefined) throw new UsageError("no lab runs; 'overland lab up' brings one up");
  if (names.length > 1) throw new UsageError(`several labs run; --name one of ${names.join(', ')}`);
  return only;
}
