import { expect, test } from 'vitest';
import { COMMANDS } from './registry.ts';
import { captureRun } from './testing/captured-run.ts';

/** As the program has them, but they do nothing. */
const IDLE = COMMANDS.map((entry) => ({
  ...entry,
  load: async () => ({ ...(await entry.load()), run: async () => 0 }),
}));

/** The command lines of ours in what a shell is to be given, split into words behind `overland`. */
function commandLinesOf(typed: string): string[][] {
  const lines = typed.matchAll(/(?:^|[\s(])(?:\.\/)?overland\s+([^|<>;]*)/g);
  return [...lines].map(([, line = '']) => {
    const words = line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g);
    return [...words].map(([word]) => word.replaceAll(/["']/g, '').replace(/\)$/, ''));
  });
}

test.each(COMMANDS.map((entry) => [entry.name, entry] as const))(
  '%s has two examples or more that are commands of this version',
  async (name, { load }) => {
    const { examples } = await load();
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const [typed, meaning] of examples) {
      const lines = commandLinesOf(typed);
      expect(lines.map((words) => words.join(' ')).join('\n'), typed).toContain(name);
      expect(meaning, typed).not.toBe('');
      for (const words of lines)
        expect(await captureRun(words, { commands: IDLE }), typed).toMatchObject({
          code: 0,
          err: '',
        });
    }
  },
);
