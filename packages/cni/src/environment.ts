import { CNI_CODE, CniError } from './cni-error.ts';

const COMMANDS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'] as const;

type Command = (typeof COMMANDS)[number];

/** Variables of the specification without which a command makes no sense. */
const REQUIRED: Readonly<Record<Command, readonly Variable[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
  GC: ['CNI_PATH'],
  STATUS: [],
  VERSION: [],
};

type Variable = 'CNI_CONTAINERID' | 'CNI_NETNS' | 'CNI_IFNAME' | 'CNI_PATH';

/** What the runtime says by environment variables. Those that a command does not need may be empty, or anything. */
export interface Environment {
  readonly command: Command;
  readonly containerId: string;
  readonly netns: string;
  readonly ifname: string;
  readonly args: CniArgs;
  /** Directories of plugins. */
  readonly path: readonly string[];
}

/** What `CNI_ARGS` may say, all optional. */
interface CniArgs {
  readonly podName?: string;
  readonly podNamespace?: string;
  readonly ip?: string;
  readonly mac?: string;
}

const ARGUMENTS: Readonly<Record<string, keyof CniArgs | null>> = {
  K8S_POD_NAME: 'podName',
  K8S_POD_NAMESPACE: 'podNamespace',
  K8S_POD_INFRA_CONTAINER_ID: null,
  K8S_POD_UID: null,
  IP: 'ip',
  MAC: 'mac',
  IgnoreUnknown: null,
};

/** @throws {CniError} Code 4, naming every variable that is missing, or the one that is wrong. */
export function parseEnvironment(env: Readonly<Record<string, string>>): Environment {
  const command = COMMANDS.find((name) => name === env.CNI_COMMAND);
  if (!command) {
    throw invalid(`CNI_COMMAND is '${env.CNI_COMMAND ?? ''}'; it must be ${COMMANDS.join(', ')}`);
  }
  const missing = REQUIRED[command].filter((name) => !env[name]);
  if (missing.length > 0) throw invalid(`${command} needs ${missing.join(', ')}`);
  const containerId = env.CNI_CONTAINERID ?? '';
  const ifname = env.CNI_IFNAME ?? '';
  const isAboutContainer = REQUIRED[command].includes('CNI_CONTAINERID');
  if (isAboutContainer) checkNames(containerId, ifname);
  return {
    command,
    containerId,
    ifname,
    netns: env.CNI_NETNS ?? '',
    args: isAboutContainer ? parseArgs(env.CNI_ARGS ?? '', command) : {},
    path: (env.CNI_PATH ?? '').split(':').filter((directory) => directory.startsWith('/')),
  };
}

function checkNames(containerId: string, ifname: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(containerId)) {
    throw invalid(
      `CNI_CONTAINERID is '${containerId}'; it must be letters, digits, '_', '.' and '-', beginning with a letter or digit, at most 128`,
    );
  }
  if (!/^[^\s/:]{1,15}$/.test(ifname) || ifname === '.' || ifname === '..') {
    throw invalid(
      `CNI_IFNAME is '${ifname}'; it must be 1 to 15 characters without blanks, '/' and ':'`,
    );
  }
}

/** `IgnoreUnknown=1;K8S_POD_NAME=web-1;…` A DEL asks for nothing, and must not fail. */
function parseArgs(text: string, command: Command): CniArgs {
  const pairs = text
    .split(';')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1 && command !== 'DEL')
        throw invalid(`CNI_ARGS has '${pair}'; it must be KEY=VALUE`);
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
  const given = new Map(pairs);
  const mayIgnore = /^(1|t|true)$/i.test(given.get('IgnoreUnknown') ?? '') || command === 'DEL';
  const unknown = [...given.keys()].filter((key) => !Object.hasOwn(ARGUMENTS, key));
  if (unknown.length > 0 && !mayIgnore) {
    throw invalid(`CNI_ARGS has unknown keys, and no IgnoreUnknown=1: ${unknown.join(', ')}`);
  }
  const found: { -readonly [K in keyof CniArgs]: CniArgs[K] } = {};
  for (const [key, value] of given) {
    const name = Object.hasOwn(ARGUMENTS, key) ? ARGUMENTS[key] : undefined;
    if (name && value !== '') found[name] = value;
  }
  return found;
}

function invalid(message: string): CniError {
  return new CniError(CNI_CODE.invalidEnvironment, message);
}
