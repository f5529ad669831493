import { readdirSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CniReply } from '@overland/cni';
import { type CniCall, parseCall } from '@overland/cni/call';
import { removeDurably } from '@overland/linux/durable-file';
import type { Logger } from 'pino';

const RETRY_MS = 2000;

/**
 * Calls that the executable has left in a directory because no agent answered: DEL alone, which a runtime must not
 * have to wait with. One file (0600) each, in the form of a call; its name says the order.
 */
export class CniSpool {
  readonly #directory: string;
  readonly #answer: (call: CniCall) => Promise<CniReply>;
  readonly #log: Logger;
  #draining: Promise<ReadonlySet<string>> | undefined;

  constructor(directory: string, answer: (call: CniCall) => Promise<CniReply>, log: Logger) {
    this.#directory = directory;
    this.#answer = answer;
    this.#log = log;
  }

  /**
   * Does everything that is there once, in order.
   *
   * @returns What failed and stays for the next time, as {@link attachmentOf} names it.
   */
  async drain(): Promise<ReadonlySet<string>> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
    return await this.#draining;
  }

  /** Drains again and again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    while (!signal.aborted) {
      await this.drain();
      await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #drain(): Promise<ReadonlySet<string>> {
    const failed = new Set<string>();
    for (const file of this.#files()) {
      const path = join(this.#directory, file);
      try {
        const call = parseCall(parseJson(await readFile(path, 'utf8')));
        if (call?.env.CNI_COMMAND !== 'DEL') {
          this.#log.error({ path }, 'not a DEL that was left for later; removed');
        } else {
          const { exitCode, stdout } = await this.#answer(call);
          const { CNI_CONTAINERID: container, CNI_IFNAME: ifname } = call.env;
          if (exitCode !== 0) {
            this.#log.warn({ container, ifname, answer: stdout }, 'DEL failed; will try again');
            failed.add(attachmentOf(call));
            continue;
          }
          this.#log.info({ container, ifname }, 'DEL done that came while no agent ran');
        }
        await removeDurably(path);
      } catch (error) {
        this.#log.warn({ err: error, path }, 'DEL could not be done; will try again');
      }
    }
    return failed;
  }

  /** Read at once: the directory is nearly always empty, and every call would wait for a thread of the pool, behind others' files. */
  #files(): string[] {
    try {
      const files = readdirSync(this.#directory);
      return files.filter((name) => /^del-.*\.json$/.test(name)).toSorted();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }
}

/** What a call is about: container and interface. */
export function attachmentOf({ env }: CniCall): string {
  return `${env.CNI_CONTAINERID}/${env.CNI_IFNAME}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
