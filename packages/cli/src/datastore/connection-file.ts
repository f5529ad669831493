import {
  ConfigError,
  type ConfigFault,
  type GivenSettings,
} from '@overland/agent/datastore-settings';
import { API_VERSION, isJsonObject, nearestName } from '@overland/model';

/** Calico's name of a field → the agent's setting of the same meaning. `sqlitePath` and `etcdKeyPrefix` are ours. */
const FIELDS: Readonly<Record<string, string>> = {
  datastoreType: 'datastoreType',
  sqlitePath: 'sqlitePath',
  etcdEndpoints: 'etcdEndpoints',
  etcdDiscoverySrv: 'etcdDiscoverySrv',
  etcdKeyPrefix: 'etcdKeyPrefix',
  etcdUsername: 'etcdUsername',
  etcdPassword: 'etcdPassword',
  etcdKeyFile: 'etcdKeyFile',
  etcdCertFile: 'etcdCertFile',
  etcdCACertFile: 'etcdCaFile',
  etcdKey: 'etcdKey',
  etcdCert: 'etcdCert',
  etcdCACert: 'etcdCa',
};

const KUBERNETES =
  'Overland keeps resources in etcd or SQLite, not in the Kubernetes API: remove it, or point to an etcd';
const REFUSED: Readonly<Record<string, string>> = {
  kubeconfig: KUBERNETES,
  kubeconfigInline: KUBERNETES,
};

/** Fields that nobody but the owner of the file should see. */
const SECRETS = ['etcdPassword', 'etcdKey'];

/**
 * Takes the settings of a `CalicoAPIConfig` document, as calicoctl reads it.
 *
 * @param origin The file, for messages.
 * @throws {ConfigError} With everything that is wrong but the values, which are checked with the rest.
 */
export function connectionSettings(document: unknown, origin: string): GivenSettings {
  const faults: ConfigFault[] = [];
  const add = (path: string, message: string) =>
    faults.push({ origin: path === '' ? origin : `${origin}: ${path}`, message });
  const given: GivenSettings = new Map();
  if (!isJsonObject(document)) {
    add('', `expected a CalicoAPIConfig document of ${API_VERSION}`);
    throw new ConfigError(faults);
  }
  const { apiVersion, kind, metadata, spec, ...others } = document;
  if (apiVersion !== API_VERSION) add('apiVersion', `must be ${API_VERSION}`);
  if (kind !== 'CalicoAPIConfig') add('kind', 'must be CalicoAPIConfig');
  for (const name of Object.keys(others))
    add(name, unknown(name, ['apiVersion', 'kind', 'metadata', 'spec']));
  if (metadata != null && !isJsonObject(metadata)) add('metadata', 'must be an object');
  if (!isJsonObject(spec)) add('spec', 'must be an object');
  else {
    for (const [name, value] of Object.entries(spec)) {
      const refusal = refusalOf(name, value);
      const setting = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
      if (refusal !== undefined) add(`spec.${name}`, refusal);
      else if (setting === undefined) add(`spec.${name}`, unknown(name, Object.keys(FIELDS)));
      // An empty text means "not set" to calicoctl.
      else if (value !== '' && value != null) {
        given.set(setting, { origin: `${origin}: spec.${name}`, value });
      }
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return given;
}

/** Whether the document holds what only its owner should be able to read. */
export function holdsSecret(document: unknown): boolean {
  const spec = isJsonObject(document) ? document.spec : undefined;
  return isJsonObject(spec) && SECRETS.some((name) => Boolean(spec[name]));
}

function refusalOf(name: string, value: unknown): string | undefined {
  if (name === 'datastoreType' && value === 'kubernetes') return KUBERNETES;
  return /^k8s[A-Z]/.test(name)
    ? KUBERNETES
    : Object.hasOwn(REFUSED, name)
      ? REFUSED[name]
      : undefined;
}

function unknown(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return `unknown field${near === undefined ? '' : `; did you mean ${near}?`}`;
}
