import { Resolver } from 'node:dns/promises';
import { UnavailableError } from '../errors.ts';
import type { Endpoint } from './etcd-options.ts';

/** One SRV record, as `node:dns` gives it. */
interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
}

/** Looks SRV records up. Rejects with `code` `ENOTFOUND` or `ENODATA` if there are none. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

/** Enough for any cluster; more records are not looked at. */
const MAX_ENDPOINTS = 32;

/**
 * The members of a cluster by DNS, as etcd's own clients find them: `_etcd-client-ssl._tcp.DOMAIN` for TLS, or else
 * `_etcd-client._tcp.DOMAIN`. Where there are both, only those with TLS are taken: an answer that nobody
 * has signed must not be able to turn it off for one of them.
 *
 * @returns In order of priority; within one, in no order.
 * @throws {UnavailableError} If there are no records, or no answer.
 */
export async function discoverEndpoints(
  domain: string,
  resolve: ResolveSrv = systemResolver(),
): Promise<readonly Endpoint[]> {
  for (const [service, isTls] of [
    ['_etcd-client-ssl', true],
    ['_etcd-client', false],
  ] as const) {
    const records = await recordsOf(`${service}._tcp.${domain}`, resolve);
    if (records.length > 0) {
      return records
        .toSorted((a, b) => a.priority - b.priority)
        .slice(0, MAX_ENDPOINTS)
        .map(({ name, port }) => ({ target: `${name}:${port}`, isTls }));
    }
  }
  throw new UnavailableError(
    `etcd: no SRV records _etcd-client-ssl._tcp.${domain} or _etcd-client._tcp.${domain}`,
  );
}

async function recordsOf(name: string, resolve: ResolveSrv): Promise<readonly SrvRecord[]> {
  try {
    return await resolve(name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    if (code === 'ENOTFOUND' || code === 'ENODATA') return [];
    throw new UnavailableError(`etcd: SRV records of ${name} cannot be looked up: ${code}`, {
      cause: error,
    });
  }
}

/** A resolver made anew reads the system's configuration anew. */
function systemResolver(): ResolveSrv {
  const resolver = new Resolver({ timeout: 1000, tries: 2 });
  return (name) => resolver.resolveSrv(name);
}
