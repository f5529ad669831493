import { execFile } from 'node:child_process';
import { copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const SHIM = join(import.meta.dirname, '../shim');
const COMPILE_TIMEOUT_MS = 60_000;

/** A prebuilt executable, as releases have it. */
const PREBUILT = join(SHIM, 'overland-cni');

export interface InstallOptions {
  /** Of plugins, `/opt/cni/bin`. */
  readonly binDirectory: string;
  /** Of network configurations, `/etc/cni/net.d`; absent: none is written. */
  readonly configDirectory?: string | undefined;
  /** Of the network. */
  readonly network: string;
  /** Where the agent listens, and where a DEL is left for it. */
  readonly paths: AgentPaths;
  /** `auto`: compiled if it can be. */
  readonly form: 'auto' | 'compiled' | 'script';
}

/** Settings of the agent that its executables have to know. */
interface AgentPaths {
  readonly apiSocket: string;
  readonly stateDirectory: string;
}

/** As the executables have them without being told. */
export const DEFAULT_PATHS: AgentPaths = {
  apiSocket: '/run/overland/agent.sock',
  stateDirectory: '/var/lib/overland',
};

/** What was written. */
export interface Installed {
  readonly form: 'prebuilt' | 'compiled' | 'script';
  readonly files: readonly string[];
  /** A configuration of that name was there, and is as it was. */
  readonly kept: string | undefined;
}

/**
 * Puts the executables where runtimes look for plugins, and a network configuration beside. Each file is replaced
 * at once, so that a runtime never runs half of one; a configuration that is there is left as it is.
 *
 * @throws If the executable cannot be compiled and `form` is `compiled`, or what the file system says.
 */
export async function installPlugins(options: InstallOptions): Promise<Installed> {
  const { binDirectory, configDirectory, network } = options;
  await mkdir(binDirectory, { recursive: true, mode: 0o755 });
  const aside = join(binDirectory, '.overland.new');
  await rm(aside, { force: true });
  const form = await makeExecutable(aside, options);
  const files: string[] = [];
  for (const name of ['overland-ipam', 'overland']) {
    const file = join(binDirectory, name);
    const next = `${aside}.${name}`;
    await rm(next, { force: true });
    await link(aside, next);
    await rename(next, file);
    // Of one file, a rename onto another name of it does nothing.
    await rm(next, { force: true });
    files.push(file);
  }
  await rm(aside);
  if (configDirectory === undefined) return { form, files, kept: undefined };
  const config = join(configDirectory, '10-overland.conflist');
  const isNew = await writeConfiguration(configDirectory, config, network);
  return { form, files: isNew ? [...files, config] : files, kept: isNew ? undefined : config };
}

async function makeExecutable(
  file: string,
  { form, paths }: InstallOptions,
): Promise<Installed['form']> {
  const { apiSocket, stateDirectory } = paths;
  const isUsual =
    apiSocket === DEFAULT_PATHS.apiSocket && stateDirectory === DEFAULT_PATHS.stateDirectory;
  if (form !== 'script') {
    if (isUsual && (await copied(PREBUILT, file))) return 'prebuilt';
    try {
      const source = join(SHIM, 'overland-cni.c');
      const defined = [
        `-DAPI_SOCKET=${JSON.stringify(apiSocket)}`,
        `-DSTATE_DIRECTORY=${JSON.stringify(stateDirectory)}`,
      ];
      const flags = ['-Os', '-static', '-s', ...defined, '-o', file, source];
      await run('cc', flags, { timeout: COMPILE_TIMEOUT_MS });
      return 'compiled';
    } catch (error) {
      await rm(file, { force: true });
      if (form === 'compiled') throw error;
    }
  }
  const script = await readFile(join(SHIM, 'overland-cni.pl'), 'utf8');
  const ours = script
    .replace(`'${DEFAULT_PATHS.apiSocket}'`, () => `'${apiSocket}'`)
    .replace(`'${DEFAULT_PATHS.stateDirectory}'`, () => `'${stateDirectory}'`);
  await writeFile(file, ours, { mode: 0o755 });
  return 'script';
}

async function copied(from: string, to: string): Promise<boolean> {
  return await copyFile(from, to).then(
    () => true,
    () => false,
  );
}

/** @returns Whether there was none. */
async function writeConfiguration(
  directory: string,
  file: string,
  network: string,
): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const configuration = {
    cniVersion: '1.0.0',
    name: network,
    plugins: [
      // Ports of the host are ours: with the plugin portmap behind us, both would translate them.
      {
        type: 'overland',
        ipam: { type: 'overland-ipam' },
        capabilities: { portMappings: true, bandwidth: true, ips: true, mac: true },
      },
    ],
  };
  try {
    await writeFile(file, `${JSON.stringify(configuration, null, 2)}\n`, {
      flag: 'wx',
      mode: 0o644,
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
