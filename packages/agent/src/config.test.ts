import { expect, test } from 'vitest';
import { ConfigError, type ConfigSources, parseConfig } from './config.ts';
import { configDocument } from './config-document.ts';
import { environmentName, flagName, SETTING_NAMES } from './settings.ts';

const NOTHING: ConfigSources = { environment: {}, flags: {}, hostname: 'Host11' };

function faultsOf(sources: Partial<ConfigSources>): string[] {
  try {
    parseConfig({ ...NOTHING, ...sources });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}

test('an empty configuration is complete: every default is valid', () => {
  const config = parseConfig(NOTHING);
  expect(config).toMatchObject({ nodeName: 'host11', datastoreType: 'sqlite', ipv4: 'autodetect' });
  expect(Object.keys(config)).toEqual(SETTING_NAMES);
});

test('the file gives way to Calico names, those to ours, and all to flags', () => {
  const file = {
    path: '/etc/overland/agent.yaml',
    content: { nodeName: 'file', asNumber: 1, ipv4: 'none', logLevel: 'warn' },
  };
  const environment = {
    NODENAME: 'calico',
    AS: '65101',
    OVERLAND_AS_NUMBER: '1.10',
    OVERLAND_IPV4: '10.0.0.1',
  };
  const config = parseConfig({ ...NOTHING, file, environment, flags: { ipv4: '10.0.0.2/31' } });
  expect(config).toMatchObject({
    nodeName: 'calico',
    asNumber: 65_546,
    ipv4: '10.0.0.2/31',
    logLevel: 'warn',
  });
});

test('text from the environment becomes numbers, lists and maps', () => {
  const environment = {
    DATASTORE_TYPE: 'etcdv3',
    ETCD_ENDPOINTS: 'http://10.0.0.1:2379, http://10.0.0.2:2379',
    OVERLAND_LABELS: 'rack=1,role=edge',
    CALICO_IPV4POOL_BLOCK_SIZE: '28',
  };
  expect(parseConfig({ ...NOTHING, environment })).toMatchObject({
    datastoreType: 'etcd',
    etcdEndpoints: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'],
    labels: { rack: '1', role: 'edge' },
    ipv4PoolBlockSize: 28,
  });
});

test('every fault is reported at once, each with where it was said', () => {
  const faults = faultsOf({
    file: { path: '/a.yaml', content: { nodename: 'x', ipv4PoolCidr: '10.65.0.1/16' } },
    environment: { AS: '4294967296', OVERLAND_AS: '1', OVERLAND_IPV4: 'maybe' },
    flags: { logLevel: 'loud' },
  });
  expect(faults).toEqual([
    '/a.yaml: nodename: unknown setting; did you mean nodeName?',
    'OVERLAND_AS: unknown setting; did you mean OVERLAND_AS_NUMBER?',
    'OVERLAND_IPV4: `autodetect`, `none` or an IPv4 address, with or without a length',
    'AS: "4294967296" is not a valid AS number: expected a whole number from 1 to 4294967295, or dotted as 1.10',
    '/a.yaml: ipv4PoolCidr: "10.65.0.1/16" is not a valid prefix: expected no bits set past the length, as in 10.65.0.0/16',
    expect.stringMatching(/^--log-level: /),
  ]);
});

test('settings that contradict each other are faults', () => {
  expect(faultsOf({ flags: { datastoreType: 'etcd', ipv4: 'none', ipv6: 'none' } })).toEqual([
    'etcdEndpoints: must name a server when datastoreType is etcd',
    '--ipv4: ipv4 and ipv6 cannot both be none: the host needs an address',
  ]);
  expect(faultsOf({ flags: { ipv6PoolCidr: '10.0.0.0/8', etcdKeyFile: '/key' } })).toHaveLength(2);
});

test('a value of the wrong family, a fraction and a relative path are refused', () => {
  expect(faultsOf({ flags: { ipv4: 'fd00::1' } })).toHaveLength(1);
  expect(faultsOf({ flags: { metricsPort: 1.5 } })).toHaveLength(1);
  expect(faultsOf({ flags: { apiSocket: 'agent.sock' } })).toHaveLength(1);
});

test('an empty environment variable is not set', () => {
  expect(
    parseConfig({ ...NOTHING, environment: { AS: '', OVERLAND_LOG_LEVEL: '' } }),
  ).toMatchObject({
    asNumber: undefined,
    logLevel: 'info',
  });
});

test('names follow one rule', () => {
  expect(environmentName('routeReadBackSeconds')).toBe('OVERLAND_ROUTE_READ_BACK_SECONDS');
  expect(flagName('ipv4PoolCidr')).toBe('ipv4-pool-cidr');
});

test('docs/config.md is what the table says', async () => {
  await expect(configDocument()).toMatchFileSnapshot('../../../docs/config.md');
});
