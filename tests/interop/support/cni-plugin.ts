import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PATHS, installPlugins } from '@overland/cni/install';

/** A directory with `overland` and `overland-ipam`, compiled or as the script, for the usual agent or that of a directory. */
export async function pluginDirectory(
  form: 'auto' | 'compiled' | 'script',
  stateDirectory?: string,
): Promise<string> {
  const binDirectory = await mkdtemp(join(tmpdir(), 'cni-bin-'));
  const paths = stateDirectory
    ? { apiSocket: join(stateDirectory, 'agent.sock'), stateDirectory }
    : DEFAULT_PATHS;
  await installPlugins({ binDirectory, network: 'fabric', form, paths });
  return binDirectory;
}

/** How a run of a plugin ended. */
export interface PluginOutcome {
  readonly code: number | null;
  /** What it printed, parsed; `undefined`: nothing. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the plugin says
  readonly answer: any;
}

export interface PluginCall {
  readonly command: string;
  readonly containerId?: string;
  readonly netns?: string;
  readonly ifname?: string;
  readonly args?: string;
}

/** Runs plugins of a directory with what an agent of a test needs. */
export function pluginRunner(directory: string, env: Readonly<Record<string, string>>) {
  return async (
    plugin: string,
    call: PluginCall,
    config: object | string,
  ): Promise<PluginOutcome> => {
    const { command, containerId, netns, ifname = 'eth0', args } = call;
    const child = spawn(join(directory, plugin), [], {
      env: {
        PATH: process.env.PATH ?? '',
        CNI_COMMAND: command,
        CNI_PATH: `${directory}:/usr/lib/cni`,
        CNI_IFNAME: ifname,
        ...(containerId !== undefined && { CNI_CONTAINERID: containerId }),
        ...(netns !== undefined && { CNI_NETNS: netns }),
        ...(args !== undefined && { CNI_ARGS: args }),
        ...env,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      stdout += part;
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(typeof config === 'string' ? config : JSON.stringify(config));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, answer: stdout === '' ? undefined : JSON.parse(stdout) };
  };
}
