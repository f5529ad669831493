import { existsSync } from 'node:fs';
import { ProgramError, runProgram } from '../runner/run-program.ts';
import { parseAptSimulation } from './apt-simulation.ts';
import { forbidServiceStarts } from './service-policy.ts';
import type { SystemPackage } from './system-packages.ts';

/** The packages cannot or must not be installed. */
export class InstallError extends Error {
  override readonly name = 'InstallError';
}

const APT_GET = '/usr/bin/apt-get';
const OPTIONS = ['-o', 'DPkg::Lock::Timeout=120', '-o', 'APT::Install-Recommends=false'];
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  DEBIAN_FRONTEND: 'noninteractive',
  LC_ALL: 'C.UTF-8',
};

/**
 * Installs Debian packages without changing anything else: nothing is removed, no service is started or left enabled.
 *
 * @param announce Told what is about to be done, before it is done.
 * @throws {InstallError} If this is not a Debian, apt does not have a package, or something would have to be removed.
 */
export async function installPackages(
  packages: readonly SystemPackage[],
  announce: (what: string) => void,
): Promise<void> {
  if (packages.length === 0) return;
  const names = packages.map(({ name }) => name);
  if (!existsSync(APT_GET)) {
    throw new InstallError(`not a Debian or Ubuntu system: install ${names.join(', ')} yourself`);
  }
  const plan = await simulate(names, announce);
  if (plan.removes.length > 0) {
    throw new InstallError(
      `refusing to install ${names.join(', ')}: that would remove ${plan.removes.join(', ')}`,
    );
  }
  announce(`installing ${names.join(', ')} (with what they need: ${plan.installs.join(', ')})`);
  {
    await using _ = await forbidServiceStarts();
    // --no-remove: should the state have changed since the simulation, apt itself refuses.
    await apt(['install', '--yes', '--no-remove', ...names]);
  }
  const services = packages.flatMap((one) => one.services);
  for (const service of services) await disableService(service);
}

async function simulate(names: readonly string[], announce: (what: string) => void) {
  const ask = () => apt(['install', '--simulate', ...names]);
  try {
    return parseAptSimulation(await ask());
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    // Most often: the package lists are old or were never fetched.
    announce('updating the package lists');
    await apt(['update']);
    return parseAptSimulation(await ask());
  }
}

async function apt(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await runProgram([APT_GET, ...OPTIONS, ...args], { env: ENVIRONMENT });
    return stdout;
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const reason = error.stderr.split('\n').filter((line) => line.startsWith('E: '));
    const detail = reason.map((line) => line.slice('E: '.length)).join('; ') || error.message;
    throw new InstallError(`apt-get ${args[0]}: ${detail}`, { cause: error });
  }
}

/** Undoes what the package's scripts enabled, for systemd and for System V; both tools are part of every Debian. */
async function disableService(service: string): Promise<void> {
  const attempts = [
    ['deb-systemd-helper', 'disable', `${service}.service`],
    ['update-rc.d', service, 'disable'],
  ];
  for (const argv of attempts) {
    // Not every package has a unit of each sort; one that is absent cannot start.
    await runProgram(argv, { env: ENVIRONMENT, accept: [0, 1, 2, 3, 127] });
  }
}
