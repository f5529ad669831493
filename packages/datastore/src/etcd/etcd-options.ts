import { readFileSync } from 'node:fs';

/** How to reach an etcd cluster. */
export interface EtcdOptions {
  /** `https://etcd1:2379`, `http://10.0.0.1:2379`, or `host:2379` (plain). */
  readonly endpoints?: readonly string[];
  /** Instead of endpoints: the domain whose SRV records name them, see `discoverEndpoints`. */
  readonly discoverySrv?: string;
  readonly username?: string;
  readonly password?: string;
  /** Files in PEM; read anew for each connection, so that they can be renewed. */
  readonly caCertFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The same as PEM itself, as a `CalicoAPIConfig` may have it. Not together with the file. */
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
 * Checks what can be checked before anything is tried.
 *
 * @throws {RangeError} If the options contradict each other, or say too little.
 */
export function checkEtcdOptions(options: EtcdOptions): void {
  const { endpoints = [], discoverySrv, username, password } = options;
  if (discoverySrv === undefined) parseEndpoints(endpoints);
  else if (endpoints.length > 0) {
    throw new RangeError('etcd endpoints and a discovery domain are given: one of them, not both');
  }
  for (const [what, file, text] of [
    ['caCert', options.caCertFile, options.caCert],
    ['cert', options.certFile, options.cert],
    ['key', options.keyFile, options.key],
  ] as const) {
    if (file !== undefined && text !== undefined) {
      throw new RangeError(`etcd: ${what} is given both as a file and as PEM: one of them`);
    }
    if (text !== undefined && !/^-----BEGIN [A-Z ]+-----\r?$/m.test(text)) {
      throw new RangeError(`etcd: ${what} is not in PEM: it has no line -----BEGIN …-----`);
    }
  }
  const [hasCert, hasKey] = [options.certFile ?? options.cert, options.keyFile ?? options.key];
  if ((hasCert === undefined) !== (hasKey === undefined)) {
    throw new RangeError('etcd: a client certificate and its key are given together or not at all');
  }
  if (password !== undefined && username === undefined) {
    throw new RangeError('etcd: a password is given without a username');
  }
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

/** Reads the files. @throws If one cannot be read. */
export function readTlsMaterial(options: EtcdOptions): TlsMaterial {
  const read = (path: string | undefined, text: string | undefined): Buffer | null => {
    if (text !== undefined) return Buffer.from(text);
    return path === undefined ? null : readFileSync(path);
  };
  return {
    ca: read(options.caCertFile, options.caCert),
    key: read(options.keyFile, options.key),
    cert: read(options.certFile, options.cert),
  };
}
