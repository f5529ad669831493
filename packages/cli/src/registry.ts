import type { Command } from './command.ts';

/** A command that is loaded only when it is used: starting the CLI costs one module, not all of them. */
export interface RegistryEntry {
  /** Noun and verb, or one word. Equal to the loaded command's name (tested). */
  readonly name: string;
  /** Equal to the loaded command's summary (tested). */
  readonly summary: string;
  load(): Promise<Command>;
}

/** What each noun is about, for `overland --help`. */
export const NOUNS: Readonly<Record<string, string>> = {};

/** Every command, in the order of the help. To add one: its file in `commands/`, its line here. */
export const COMMANDS: readonly RegistryEntry[] = [
  {
    name: 'version',
    summary: 'Print the version',
    load: async () => (await import('./commands/version.ts')).version,
  },
];
