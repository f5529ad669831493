import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Figures } from './scenario.ts';

/** How often the watched thread writes what it has found, milliseconds. */
export const WRITE_MS = 200;

/** What is measured from within a speaker: see `watch-thread.ts`. */
export class Watch {
  readonly #file = join(mkdtempSync(join(tmpdir(), 'watch-')), 'thread.json');

  /** The program, watched. @param bin Of the checkout, compiled. */
  program(bin: string): readonly string[] {
    const loaded = join(import.meta.dirname, 'watch-thread.ts');
    const conditions = '--disable-warning=ExperimentalWarning';
    return [
      'env',
      `BENCHMARK_WATCH=${this.#file}`,
      process.execPath,
      conditions,
      '--import',
      loaded,
      bin,
    ];
  }

  /** Forgets what was found so far. */
  async restart(): Promise<void> {
    await rm(this.#file, { force: true });
    await delay(2 * WRITE_MS);
  }

  /** CPU time of the longest task, and 99.9th percentile of the event loop's delay, milliseconds. */
  async read(): Promise<Figures> {
    await delay(2 * WRITE_MS);
    return JSON.parse(await readFile(this.#file, 'utf8')) as Figures;
  }
}
