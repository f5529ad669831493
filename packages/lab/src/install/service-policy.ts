import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What invoke-rc.d asks before it starts a service (see policy-rc.d(8)). */
const POLICY = '/usr/sbin/policy-rc.d';
const KEPT = `${POLICY}.before-overland`;

/**
 * Forbids package scripts to start services until disposed; then the policy that was there before is back. If an earlier run
 * was killed in between, what it kept aside is put back first.
 */
export async function forbidServiceStarts(policy = POLICY, kept = KEPT): Promise<AsyncDisposable> {
  await moveIfPresent(kept, policy);
  await moveIfPresent(policy, kept);
  await mkdir(dirname(policy), { recursive: true });
  await writeFile(
    policy,
    '#!/bin/sh\n# Overland is installing packages; no service is to start.\nexit 101\n',
  );
  await chmod(policy, 0o755);
  return {
    async [Symbol.asyncDispose]() {
      await rm(policy, { force: true });
      await moveIfPresent(kept, policy);
    },
  };
}

async function moveIfPresent(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
