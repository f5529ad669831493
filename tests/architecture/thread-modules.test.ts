import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const AGENT = `${ROOT}packages/agent/src`;

/** What a module loads with itself: whatever it imports besides types. */
const IMPORT = /^(?:import|export) (?!type )(?:[^;'"]*? from )?'([^']+)';/gm;

/** Files and packages of others that a thread loads when it starts, from its first file on. */
function loadedBy(entry: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('.')) waiting.push(new URL(specifier, `file://${file}`).pathname);
      else if (specifier.startsWith('@overland/')) waiting.push(sourceOf(specifier));
      else packages.add(specifier);
    }
  }
  return { files, packages };
}

/** The file of an entry of a package of ours: `@overland/model/protocol`. */
function sourceOf(specifier: string): string {
  const [, name = '', ...rest] = specifier.split('/');
  const directory = `${ROOT}packages/${name}/`;
  const { exports } = JSON.parse(readFileSync(`${directory}package.json`, 'utf8'));
  const key = rest.length === 0 ? '.' : `./${rest.join('/')}`;
  return fileURLToPath(new URL(exports[key]['@overland/source'], `file://${directory}`));
}

test('threads of the agent load what they run (decision 0261)', () => {
  const store = loadedBy(`${AGENT}/store-worker.ts`);
  // The walk finds what is known to be there.
  expect(store.packages).toContain('zod');
  expect(store.files).toContain(`${ROOT}packages/model/src/index.ts`);

  for (const thread of ['dataplane', 'speaker']) {
    const { files, packages } = loadedBy(`${AGENT}/${thread}-worker.ts`);
    expect(files.size).toBeGreaterThan(100);
    expect([thread, packages.has('zod')]).toEqual([thread, false]);
    expect(files).not.toContain(`${ROOT}packages/model/src/index.ts`);
  }
  expect([...store.files].filter((file) => file.includes('/docker/'))).toEqual([]);
});
