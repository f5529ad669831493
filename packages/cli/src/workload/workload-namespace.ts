import { createNamespace, KernelError, namespaceIdentity, namespacePath } from '@overland/linux';
import { type CommandContext, UsageError } from '../command.ts';

/** Name of a workload's interface. */
export const WORKLOAD_INTERFACE = 'eth0';

/** As the agent wants names of workloads: they become part of a resource's name. */
const NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** @throws {UsageError} If it cannot name a workload, or we may not make namespaces. */
export function checkWorkload({ isRoot }: CommandContext, command: string, name: string): void {
  if (!NAME.test(name)) {
    throw new UsageError(
      `'${name}' cannot name a workload: lower-case letters, digits and '-', at most 63`,
    );
  }
  if (!isRoot) throw new UsageError(`${command} needs root`);
}

/**
 * Makes the workload's network namespace if there is none.
 *
 * @returns Whether it is new.
 */
export function ensureNamespace(name: string): boolean {
  if (namespaceIdentity(namespacePath(name)) !== undefined) return false;
  try {
    createNamespace(name);
    return true;
  } catch (error) {
    if (error instanceof KernelError && error.code === 'EEXIST') {
      throw new UsageError(`${namespacePath(name)} is in the way and is no network namespace`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** @returns The path of the workload's namespace. @throws {UsageError} If there is none. */
export function existingNamespace(name: string): string {
  const path = namespacePath(name);
  if (namespaceIdentity(path) === undefined) throw new UsageError(`there is no workload ${name}`);
  return path;
}
