import { readFileSync } from 'node:fs';

/** How to reach an etcd cluster. */
export interface EtcdOptions {
  /** `https://etcd1:2379`, `http://10.0.0.1:2379`, or `host:2379` (plain). */
  readonly endpoints: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** Files in PEM; read anew for each connection, so that they can be renewed. */
  readonly caCertFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The same as PEM text, each instead of its file. */
  readonly caCert?: string;
  readonly cert?: string;
  readonly key?: string;
  /** How long a call may take; default 5000. */
  readonly deadlineMs?: number;
}

/** One member of the cluster. */
export interface Endpoint {
  /** `host:port`, IPv6 addresses in brackets. */
  readonly target: string;
  readonly isTls: boolean;
}

/**
 * Parses the endpoints.
 *
 * @throws {RangeError} If one is no endpoint, or some are with TLS and others without.
 */
export function parseEndpoints(endpoints: readonly string[]): readonly Endpoint[] {
  const parsed = endpoints.map((text): Endpoint => {
    const match = /^(?:(https?):\/\/)?(\[[0-9A-Fa-f:.]+\]|[^\s/:[\]]+):(\d{1,5})\/?$/.exec(
      text.trim(),
    );
    if (!match || Number(match[3]) > 65535) {
      throw new RangeError(`${JSON.stringify(text)} is no etcd endpoint: as https://etcd1:2379`);
    }
    return { target: `${match[2]}:${match[3]}`, isTls: match[1] === 'https' };
  });
  if (parsed.length === 0) throw new RangeError('no etcd endpoints are given');
  if (new Set(parsed.map(({ isTls }) => isTls)).size > 1) {
    throw new RangeError('some etcd endpoints are https, others are not');
  }
  return parsed;
}

/** What TLS needs, as bytes. */
export interface TlsMaterial {
  readonly ca: Buffer | null;
  readonly key: Buffer | null;
  readonly cert: Buffer | null;
}

/** Reads what is in files. @throws If one cannot be read. */
export function readTlsMaterial(options: EtcdOptions): TlsMaterial {
  const pem = (text: string | undefined, path: string | undefined) => {
    if (text !== undefined) return Buffer.from(text);
    return path === undefined ? null : readFileSync(path);
  };
  return {
    ca: pem(options.caCert, options.caCertFile),
    key: pem(options.key, options.keyFile),
    cert: pem(options.cert, options.certFile),
  };
}

/**
 * Options from the variables that calicoctl knows: `ETCD_ENDPOINTS`, `ETCD_USERNAME`, `ETCD_PASSWORD`,
 * `ETCD_CA_CERT_FILE`, `ETCD_CERT_FILE`, `ETCD_KEY_FILE`.
 *
 * @returns `undefined` if there are no endpoints.
 */
export function etcdOptionsFrom(
  variables: Readonly<Record<string, string | undefined>>,
): EtcdOptions | undefined {
  const endpoints = (variables.ETCD_ENDPOINTS ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  if (endpoints.length === 0) return undefined;
  const given = {
    username: variables.ETCD_USERNAME,
    password: variables.ETCD_PASSWORD,
    caCertFile: variables.ETCD_CA_CERT_FILE,
    certFile: variables.ETCD_CERT_FILE,
    keyFile: variables.ETCD_KEY_FILE,
  };
  return { endpoints, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)) };
}
