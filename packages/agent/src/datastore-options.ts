import type { DatastoreOptions } from '@overland/datastore';
import type { DatastoreConfig } from './settings.ts';

/** The part of the settings that says where the datastore is. */
export function datastoreOptions(config: DatastoreConfig): DatastoreOptions {
  if (config.datastoreType === 'sqlite') return { type: 'sqlite', path: config.sqlitePath };
  const { etcdUsername, etcdPassword, etcdCaFile, etcdCertFile, etcdKeyFile } = config;
  const { etcdCa, etcdCert, etcdKey, etcdDiscoverySrv, etcdKeyPrefix } = config;
  return {
    type: 'etcd',
    ...(etcdDiscoverySrv === undefined
      ? { endpoints: config.etcdEndpoints }
      : { discoverySrv: etcdDiscoverySrv }),
    ...(etcdKeyPrefix === undefined ? {} : { keyPrefix: etcdKeyPrefix }),
    ...(etcdUsername === undefined ? {} : { username: etcdUsername }),
    ...(etcdPassword === undefined ? {} : { password: etcdPassword }),
    ...(etcdCaFile === undefined ? {} : { caCertFile: etcdCaFile }),
    ...(etcdCertFile === undefined ? {} : { certFile: etcdCertFile }),
    ...(etcdKeyFile === undefined ? {} : { keyFile: etcdKeyFile }),
    ...(etcdCa === undefined ? {} : { caCert: etcdCa }),
    ...(etcdCert === undefined ? {} : { cert: etcdCert }),
    ...(etcdKey === undefined ? {} : { key: etcdKey }),
  };
}
