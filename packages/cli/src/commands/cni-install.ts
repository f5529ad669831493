import { resolve } from 'node:path';
import { DEFAULT_PATHS, installPlugins } from '@overland/cni/install';
import { command, UsageError } from '../command.ts';

const NETWORK_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** `cni install` - the executables where container runtimes look for plugins, and a network for them. */
export const cniInstall = command({
  name: 'cni install',
  summary: 'Install the CNI plugins, and a network for container runtimes',
  description:
    'Writes overland and overland-ipam, compiled if there is a C compiler, else as a Perl script, and the network as 10-overland.conflist unless that is there already.',
  options: {
    binDirectory: {
      type: 'string',
      value: 'directory',
      summary: 'of plugins',
      default: '/opt/cni/bin',
    },
    configDirectory: {
      type: 'string',
      value: 'directory',
      summary: 'of network configurations',
      default: '/etc/cni/net.d',
    },
    noConfig: { type: 'boolean', summary: 'write no network' },
    network: { type: 'string', value: 'name', summary: 'of the network', default: 'overland' },
    apiSocket: {
      type: 'string',
      value: 'path',
      summary: 'where the agent listens',
      default: DEFAULT_PATHS.apiSocket,
    },
    stateDirectory: {
      type: 'string',
      value: 'directory',
      summary: 'of the agent',
      default: DEFAULT_PATHS.stateDirectory,
    },
    form: {
      type: 'string',
      summary: 'of the executables',
      choices: ['auto', 'compiled', 'script'],
      default: 'auto',
    },
  },
  examples: [
    ['sudo overland cni install', 'for containerd, CRI-O and Kubernetes'],
    [
      'sudo overland cni install --bin-directory /usr/lib/cni --network fabric',
      'where Debian has plugins',
    ],
  ],
  async handle({ stdout, workingDirectory }, input) {
    const { network, form, noConfig } = input;
    if (!NETWORK_NAME.test(network)) {
      throw new UsageError(
        `--network is '${network}'; it must be lower-case letters, digits and '-', at most 63`,
      );
    }
    const paths = { apiSocket: input.apiSocket, stateDirectory: input.stateDirectory };
    for (const path of Object.values(paths)) {
      if (/^\/[\w./+-]+$/.test(path)) continue;
      throw new UsageError(
        `'${path}' is no absolute path of letters, digits, '_', '.', '+' and '-'`,
      );
    }
    const configDirectory = resolve(workingDirectory, input.configDirectory);
    const { files, kept, ...made } = await installPlugins({
      binDirectory: resolve(workingDirectory, input.binDirectory),
      configDirectory: noConfig ? undefined : configDirectory,
      network,
      paths,
      form,
    });
    for (const file of files) stdout.write(`${file}\n`);
    if (kept !== undefined) stdout.write(`${kept} is there already, and was left as it is\n`);
    if (form === 'auto' && made.form === 'script') {
      stdout.write('as a script: there is no C compiler (cc) for it\n');
    }
    return 0;
  },
});
