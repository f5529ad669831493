import { readFileSync, writeFileSync } from 'node:fs';
import { KernelError, type Sysctls } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

/**
 * {@link Sysctls} over /proc/sys. What /proc/sys/net shows depends on the network namespace of the thread that
 * opens the file, so files are opened synchronously inside it.
 */
export function procSysctls(context: Pick<NetlinkContext, 'inside'>): Sysctls {
  return {
    async get(key) {
      const path = sysctlPath(key);
      try {
        return context.inside(() => readFileSync(path, 'utf8')).trim();
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined;
        throw new KernelError(codeOf(error), `read sysctl ${key}`);
      }
    },

    async set(key, value) {
      const path = sysctlPath(key);
      try {
        context.inside(() => writeFileSync(path, value, { flag: 'r+' }));
      } catch (error) {
        throw new KernelError(codeOf(error), `set sysctl ${key} to ${value}`);
      }
    },
  };
}

/**
 * Path of a setting, by the rule of sysctl(8): dots separate, and a slash stands for a dot inside a name.
 *
 * @throws {RangeError} If the key would leave /proc/sys.
 */
export function sysctlPath(key: string): string {
  const names = key.split('.').map((name) => name.replaceAll('/', '.'));
  if (names.some((name) => name === '' || name === '.' || name === '..')) {
    throw new RangeError(`${JSON.stringify(key)} is no sysctl key`);
  }
  return `/proc/sys/${names.join('/')}`;
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  throw error;
}
