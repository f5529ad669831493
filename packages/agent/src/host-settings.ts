import { applyHostSysctls, type SysctlChange, type Sysctls } from '@overland/linux';
import { readIfPresent, writeDurably } from '@overland/linux/durable-file';
import type { Logger } from 'pino';

/**
 * Keeps the host's kernel settings as `linux` has them in its table, and remembers what they were: uninstalling
 * puts them back.
 */
export class HostSettings {
  readonly #sysctls: Sysctls;
  readonly #file: string;
  readonly #log: Logger;
  #uplinks: string | undefined;
  /** Of before our changes, and not on disk yet. */
  #unsaved: readonly SysctlChange[] = [];
  #work: Promise<void> = Promise.resolve();

  /** @param stateDirectory Holds `sysctls.json`, the settings before our changes. */
  constructor(sysctls: Sysctls, stateDirectory: string, log: Logger) {
    this.#sysctls = sysctls;
    this.#file = `${stateDirectory}/sysctls.json`;
    this.#log = log;
  }

  /** Applies the table for these uplinks, if it has not been. Calls are worked off one after another. */
  apply(uplinks: readonly string[]): Promise<void> {
    const key = uplinks.toSorted().join(' ');
    if (key === this.#uplinks) return this.#work;
    this.#uplinks = key;
    this.#work = this.#work.then(() => this.#apply(uplinks));
    return this.#work;
  }

  async #apply(uplinks: readonly string[]): Promise<void> {
    const { findings, changes } = await applyHostSysctls(this.#sysctls, uplinks);
    for (const { key, value, actual, state, code } of findings) {
      if (state === 'changed')
        this.#log.info({ key, value, before: actual }, 'kernel setting changed');
      if (state === 'refused')
        this.#log.warn({ key, value, actual, code }, 'kernel setting cannot be changed');
    }
    this.#unsaved = [...this.#unsaved, ...changes];
    if (this.#unsaved.length === 0) return;
    try {
      await this.#remember(this.#unsaved);
      this.#unsaved = [];
    } catch (error) {
      // A full disk must not keep a host from forwarding.
      this.#log.error({ err: error }, 'earlier kernel settings could not be kept');
    }
  }

  async #remember(changes: readonly SysctlChange[]): Promise<void> {
    const earlier = JSON.parse((await readIfPresent(this.#file)) ?? '[]') as SysctlChange[];
    const known = new Set(earlier.map(({ key }) => key));
    const added = changes.filter(({ key }) => !known.has(key));
    await writeDurably(this.#file, `${JSON.stringify([...earlier, ...added], undefined, 2)}\n`);
  }
}
