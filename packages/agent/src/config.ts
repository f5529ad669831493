import {
  type Config,
  environmentName,
  flagName,
  SETTING_NAMES,
  SETTINGS,
  type SettingName,
} from './settings.ts';

/** One thing wrong with the configuration, and where it was said. */
export interface ConfigFault {
  /** `/etc/overland/agent.yaml: nodeName`, `OVERLAND_NODE_NAME`, `--node-name`. */
  readonly origin: string;
  readonly message: string;
}

/** The configuration cannot be used: exit code 2. The message has one line per fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(({ origin, message }) => `${origin}: ${message}`).join('\n'));
    this.faults = faults;
  }
}

/** Where values come from; later ones win. */
export interface ConfigSources {
  /** Parsed file, if there is one. */
  readonly file?: { readonly path: string; readonly content: unknown };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** By setting name, as the command line gave them. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Default of `nodeName`. */
  readonly hostname: string;
}

/** A value, and where it was said. */
export interface Given {
  readonly origin: string;
  readonly value: unknown;
}

/** Values by setting name, before they are checked. */
export type GivenSettings = Map<string, Given>;

/** Environment variables that begin like settings but belong to the command line or to tests, not to the agent. */
const OTHER_ENVIRONMENT = new Set([
  'OVERLAND_CONFIG',
  'OVERLAND_DEBUG',
  'OVERLAND_VERSION',
  'OVERLAND_SOAK',
  'OVERLAND_RUNTIMES',
]);

/**
 * Puts the sources together and checks everything once.
 *
 * @throws {ConfigError} With every fault there is, unknown names among them.
 */
export function parseConfig(sources: ConfigSources): Config {
  const faults: ConfigFault[] = [];
  const given: GivenSettings = new Map();
  given.set('nodeName', { origin: 'host name', value: sources.hostname.toLowerCase() });
  readFile(sources.file, given, faults);
  readEnvironment(sources.environment, given, faults);
  for (const [name, value] of Object.entries(sources.flags)) {
    if (value !== undefined) given.set(name, { origin: `--${flagName(name)}`, value });
  }

  return settle(SETTING_NAMES, given, faults) as Config;
}

/**
 * Checks the values of some settings, alone and against each other.
 *
 * @param faults What was found wrong before.
 * @throws {ConfigError} With every fault there is.
 */
export function settle<const Name extends SettingName>(
  names: readonly Name[],
  given: GivenSettings,
  faults: ConfigFault[],
): Pick<Config, Name> {
  const values: Record<string, unknown> = {};
  for (const name of names) {
    const { origin, value } = given.get(name) ?? { origin: name, value: undefined };
    const result = SETTINGS[name].schema.safeParse(value);
    if (result.success) values[name] = result.data;
    else {
      for (const { message, path } of result.error.issues) {
        faults.push({ origin: [origin, ...path].join('.'), message });
      }
    }
  }
  const config = values as Partial<Config>;
  faults.push(...contradictions(config, (name) => given.get(name)?.origin ?? name));
  if (faults.length > 0) throw new ConfigError(faults);
  return config as Pick<Config, Name>;
}

/** Takes the settings of a file; names it does not know are faults. */
export function readFile(
  file: ConfigSources['file'],
  given: GivenSettings,
  faults: ConfigFault[],
): void {
  if (!file || file.content === null || file.content === undefined) return;
  if (typeof file.content !== 'object' || Array.isArray(file.content)) {
    faults.push({ origin: file.path, message: 'expected settings as `name: value` lines' });
    return;
  }
  for (const [name, value] of Object.entries(file.content)) {
    const origin = `${file.path}: ${name}`;
    if (isSetting(name)) given.set(name, { origin, value });
    else faults.push({ origin, message: unknownSetting(name, SETTING_NAMES) });
  }
}

/** Takes the settings of the environment: ours, and Calico's where ours are not set. */
export function readEnvironment(
  environment: ConfigSources['environment'],
  given: GivenSettings,
  faults: ConfigFault[],
): void {
  const ours = new Map<string, SettingName>();
  for (const name of SETTING_NAMES) {
    ours.set(environmentName(name), name);
    const about: { readonly calico?: string } = SETTINGS[name].about;
    const value = about.calico === undefined ? undefined : environment[about.calico];
    // Manifests set variables to the empty text to mean "not set".
    if (about.calico !== undefined && value) given.set(name, { origin: about.calico, value });
  }
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('OVERLAND_') || OTHER_ENVIRONMENT.has(variable) || !value) continue;
    const name = ours.get(variable);
    if (name) given.set(name, { origin: variable, value });
    else faults.push({ origin: variable, message: unknownSetting(variable, [...ours.keys()]) });
  }
}

/** Faults between settings. A setting that is faulty itself is absent here. */
function contradictions(
  config: Partial<Config>,
  originOf: (name: SettingName) => string,
): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const add = (name: SettingName, message: string) =>
    faults.push({ origin: originOf(name), message });
  const hasEndpoints = config.etcdEndpoints === undefined || config.etcdEndpoints.length > 0;
  if (config.etcdDiscoverySrv !== undefined) {
    if (config.etcdEndpoints && hasEndpoints) {
      add('etcdDiscoverySrv', `is given as well as ${originOf('etcdEndpoints')}: set one of them`);
    }
  } else if (config.datastoreType === 'etcd' && !hasEndpoints) {
    add('etcdEndpoints', 'must name a server when datastoreType is etcd');
  }
  const schemes = new Set(config.etcdEndpoints?.map((endpoint) => endpoint.startsWith('https://')));
  if (schemes.size > 1) add('etcdEndpoints', 'must be https throughout, or not at all');
  if (config.ipv4 === 'none' && config.ipv6 === 'none') {
    add('ipv4', 'ipv4 and ipv6 cannot both be none: the host needs an address');
  }
  for (const [file, text] of [
    ['etcdCaFile', 'etcdCa'],
    ['etcdCertFile', 'etcdCert'],
    ['etcdKeyFile', 'etcdKey'],
  ] as const) {
    const isTwice = config[file] !== undefined && config[text] !== undefined;
    if (isTwice) add(text, `is given as well as ${originOf(file)}: set one of them`);
  }
  const cert = config.etcdCertFile ?? config.etcdCert;
  const key = config.etcdKeyFile ?? config.etcdKey;
  if ((cert === undefined) !== (key === undefined)) {
    const given = (['etcdCertFile', 'etcdCert', 'etcdKeyFile', 'etcdKey'] as const).find(
      (name) => config[name] !== undefined,
    );
    add(given ?? 'etcdCertFile', 'needs its counterpart: set certificate and key together');
  }
  if ((config.etcdUsername === undefined) !== (config.etcdPassword === undefined)) {
    add(
      config.etcdUsername === undefined ? 'etcdPassword' : 'etcdUsername',
      'needs its counterpart: set etcdUsername and etcdPassword together',
    );
  }
  for (const [name, colon] of [
    ['ipv4PoolCidr', false],
    ['ipv6PoolCidr', true],
  ] as const) {
    const prefix = config[name];
    if (prefix !== undefined && prefix.includes(':') !== colon) {
      add(name, `${prefix} is of the other address family`);
    }
  }
  return faults;
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

/** Names the known setting that differs least, if one is near. */
function unknownSetting(name: string, known: readonly string[]): string {
  const simple = (text: string) => text.toLowerCase().replaceAll(/[-_]/g, '');
  const near = known.find(
    (candidate) =>
      simple(candidate) === simple(name) ||
      simple(candidate).startsWith(simple(name)) ||
      simple(name).startsWith(simple(candidate)),
  );
  return `unknown setting${near === undefined ? '' : `; did you mean ${near}?`}`;
}
