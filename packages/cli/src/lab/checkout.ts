import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of the running Overland; the same from `src/lab` and `dist/lab`. */
export const CHECKOUT = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');

/** The topology that `lab up` brings up when none is named. */
export const DEFAULT_TOPOLOGY = `${CHECKOUT}/lab/leaf-spine.clab.yml`;

/** Command line of this CLI, compiled, for nodes to run. */
export function overlandCommand(): string[] {
  const flags = ['--disable-warning=ExperimentalWarning'];
  return [realpathSync(process.execPath), ...flags, `${CHECKOUT}/packages/cli/dist/bin.js`];
}
