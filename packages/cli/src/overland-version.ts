import { readFile } from 'node:fs/promises';

/** Of this Overland: `0.1.0`. */
export async function overlandVersion(): Promise<string> {
  // The same relative path from `src` and from `dist`.
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
