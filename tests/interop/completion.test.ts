import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatastore, ResourceClient } from '@overland/datastore';
import { parseManifest } from '@overland/model';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// A person at a real shell: what is typed, with Tab, on a terminal of its own.

const OVERLAND = fileURLToPath(new URL('../../overland', import.meta.url));

const SHELLS = {
  bash: { argv: 'bash --norc --noprofile -i', load: 'source <(overland completion bash)' },
  zsh: {
    argv: 'zsh -f -i',
    load: 'autoload -Uz compinit; compinit -u -D; source <(overland completion zsh)',
  },
  fish: { argv: 'fish --no-config -i', load: 'overland completion fish | source' },
} as const;

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'overland-completion-'));
  symlinkSync(OVERLAND, join(directory, 'overland'));
  writeFileSync(join(directory, 'manifest-of-mine.yaml'), '');
  await using store = await openDatastore({ type: 'sqlite', path: join(directory, 'db') });
  const peer = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'BGPPeer',
    metadata: { name: 'leaf11' },
    spec: { peerIP: '10.0.0.1', asNumber: 65011 },
  };
  await new ResourceClient(store).create(parseManifest(peer));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Types lines into an interactive shell and returns all that the terminal shows. */
async function typeInto(shell: keyof typeof SHELLS, lines: readonly string[]): Promise<string> {
  const { argv, load } = SHELLS[shell];
  const terminal = spawn('script', ['-qec', argv, '/dev/null'], {
    cwd: directory,
    env: {
      ...process.env,
      HOME: directory,
      PATH: `${directory}:${process.env.PATH}`,
      TERM: 'dumb',
      OVERLAND_SQLITE_PATH: join(directory, 'db'),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  terminal.stdin.end([load, ...lines, 'exit', ''].join('\n'));
  let shown = '';
  for await (const chunk of terminal.stdout) shown += String(chunk);
  return shown;
}

for (const shell of Object.keys(SHELLS) as (keyof typeof SHELLS)[]) {
  const isThere = shell === 'bash' || existsSync(`/usr/bin/${shell}`);
  describe.skipIf(!isThere)(isThere ? shell : `${shell}, which is not installed`, () => {
    test('completes commands, options and their values', async () => {
      const shown = await typeInto(shell, [
        'overland ver\t--out\tjs\t',
        'overland version --output=js\t | tr a-z A-Z',
      ]);
      expect(shown).toMatch(/^\{"overland":"[^"]+","node":"[^"]+"\}/m);
      expect(shown).toMatch(/^\{"OVERLAND":"[^"]+","NODE":"[^"]+"\}/m);
    });

    test('completes kinds and names of objects', async () => {
      const shown = await typeInto(shell, ['overland get bgpp\tlea\t-o name']);
      expect(shown).toMatch(/^bgppeer\/leaf11/m);
    });

    test('completes file names where a file is wanted', async () => {
      const shown = await typeInto(shell, ['overland validate --skip-empty -f manifest-of\t']);
      expect(shown).toContain('0 documents: valid');
    });
  });
}
