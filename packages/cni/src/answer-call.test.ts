import { expect, test } from 'vitest';
import { FakeHost } from '../test/fake-host.ts';
import { answerCall } from './answer-call.ts';
import { parseCall } from './cni-call.ts';
import { CniError } from './cni-error.ts';

const ENV = {
  CNI_COMMAND: 'ADD',
  CNI_CONTAINERID: 'c0ffee',
  CNI_NETNS: '/run/netns/web',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};
const NETWORK = { cniVersion: '1.1.0', name: 'fabric', type: 'overland' };

interface Asked {
  readonly host?: FakeHost;
  readonly env?: Record<string, string>;
  readonly program?: string;
}

async function ask(
  config: object | string,
  { host = new FakeHost(), env = {}, program = 'overland' }: Asked = {},
) {
  const stdin = typeof config === 'string' ? config : JSON.stringify(config);
  const { exitCode, stdout } = await answerCall({ program, env: { ...ENV, ...env }, stdin }, host);
  // biome-ignore lint/suspicious/noExplicitAny: whatever is answered
  const answer: any = stdout === '' ? undefined : JSON.parse(stdout);
  return { exitCode, answer, host, request: host.attached[0] };
}

test('VERSION answers whatever is on standard input, and echoes a version that it knows', async () => {
  const env = {
    CNI_COMMAND: 'VERSION',
    CNI_IFNAME: 'dummy/',
    CNI_NETNS: 'dummy',
    CNI_PATH: 'dummy',
  };
  for (const [stdin, cniVersion] of [
    ['', '1.1.0'],
    ['{', '1.1.0'],
    ['{"cniVersion":"0.4.0"}', '0.4.0'],
    ['{"cniVersion":"9.9.9"}', '1.1.0'],
  ] as const) {
    const { exitCode, answer } = await ask(stdin, { env });
    expect(exitCode).toBe(0);
    expect(answer).toEqual({
      cniVersion,
      supportedVersions: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'],
    });
  }
});

test.each([
  [{ CNI_COMMAND: 'FLY' }, NETWORK, 4, "CNI_COMMAND is 'FLY'"],
  [{ CNI_CONTAINERID: '', CNI_NETNS: '' }, NETWORK, 4, 'ADD needs CNI_CONTAINERID, CNI_NETNS'],
  [{ CNI_COMMAND: 'DEL', CNI_IFNAME: '' }, NETWORK, 4, 'DEL needs CNI_IFNAME'],
  [{ CNI_COMMAND: 'GC', CNI_PATH: '' }, NETWORK, 4, 'GC needs CNI_PATH'],
  [{ CNI_CONTAINERID: '-x' }, NETWORK, 4, "CNI_CONTAINERID is '-x'"],
  [{ CNI_CONTAINERID: 'a/b' }, NETWORK, 4, "CNI_CONTAINERID is 'a/b'"],
  [{ CNI_IFNAME: 'a234567890123456' }, NETWORK, 4, 'CNI_IFNAME is'],
  [{ CNI_IFNAME: '..' }, NETWORK, 4, "CNI_IFNAME is '..'"],
  [{ CNI_IFNAME: 'a:b' }, NETWORK, 4, "CNI_IFNAME is 'a:b'"],
  [{ CNI_ARGS: 'FOO=1' }, NETWORK, 4, 'unknown keys, and no IgnoreUnknown=1: FOO'],
  [{ CNI_ARGS: 'FOO' }, NETWORK, 4, "CNI_ARGS has 'FOO'"],
  [{ CNI_ARGS: 'IP=10.0.0.300' }, NETWORK, 7, "ips has '10.0.0.300'"],
  [{ CNI_ARGS: 'MAC=zz' }, NETWORK, 7, 'mac: must be a unicast MAC address'],
  [{}, '', 6, 'is empty'],
  [{}, '{"name":', 6, 'is not JSON'],
  [{}, '[]', 6, 'is not a JSON object'],
  [{}, { ...NETWORK, cniVersion: '9.9.9' }, 1, 'cniVersion is "9.9.9"'],
  [{}, { ...NETWORK, cniVersion: 1 }, 1, 'cniVersion is 1'],
  [{}, { ...NETWORK, name: undefined }, 7, 'name is absent'],
  [{}, { ...NETWORK, name: 'a/b' }, 7, 'name is "a/b"'],
  [{}, { ...NETWORK, name: 'My_Net' }, 7, 'it names the profile of the network'],
  [{}, { ...NETWORK, mtu: 20 }, 7, 'mtu is 20: must be 0 or 576 to 65535'],
  [{}, { ...NETWORK, device_type: 'netkit' }, 7, 'device_type is "netkit"'],
  [
    {},
    { ...NETWORK, ipam: { type: 'calico-ipam', assign_ipv4: 'maybe' } },
    7,
    'ipam.assign_ipv4 is "maybe"',
  ],
  [{}, { ...NETWORK, ipam: { assign_ipv4: false, assign_ipv6: 'false' } }, 7, 'are both false'],
  [
    {},
    { ...NETWORK, runtimeConfig: { bandwidth: { ingressRate: 1 } } },
    7,
    'runtimeConfig.bandwidth.ingressRate is 1; it must be 0 or 1000',
  ],
  [
    {},
    { ...NETWORK, runtimeConfig: { bandwidth: { egressRate: -1 } } },
    7,
    'runtimeConfig.bandwidth.egressRate is -1',
  ],
  [
    {},
    {
      ...NETWORK,
      runtimeConfig: {
        'io.kubernetes.cri.pod-annotations': { 'kubernetes.io/egress-bandwidth': 'fast' },
      },
    },
    7,
    "the annotation kubernetes.io/egress-bandwidth is 'fast'",
  ],
  [{}, { ...NETWORK, runtimeConfig: { netOutRules: [{}] } }, 2, 'runtimeConfig.netOutRules'],
  [{ CNI_COMMAND: 'CHECK' }, NETWORK, 7, 'CHECK needs prevResult'],
  [{ CNI_COMMAND: 'CHECK' }, { ...NETWORK, cniVersion: '0.3.1' }, 1, 'CHECK came with 0.4.0'],
  [{ CNI_COMMAND: 'GC' }, { ...NETWORK, cniVersion: '1.0.0' }, 1, 'GC came with 1.1.0'],
  [{ CNI_COMMAND: 'STATUS' }, { ...NETWORK, cniVersion: '1.0.0' }, 1, 'STATUS came with 1.1.0'],
  [{ CNI_COMMAND: 'GC' }, NETWORK, 7, 'GC needs cni.dev/valid-attachments'],
])('%j, %j: code %i', async (env, config, code, text) => {
  const { exitCode, answer, host } = await ask(config, { env: env as Record<string, string> });
  expect(exitCode).toBe(1);
  expect(answer).toMatchObject({
    cniVersion: expect.any(String),
    code,
    msg: expect.stringContaining(text),
  });
  expect(host.attached).toEqual([]);
});

test('without cniVersion the answer is that of 0.1.0', async () => {
  const { answer } = await ask({ name: 'fabric', type: 'overland' });
  expect(answer).toEqual({
    cniVersion: '0.1.0',
    ip4: {
      ip: '10.65.0.1/32',
      gateway: '169.254.1.1',
      routes: [{ dst: '0.0.0.0/0', gw: '169.254.1.1' }],
    },
    ip6: { ip: 'fd00:65::1/128', gateway: 'fe80::1', routes: [{ dst: '::/0', gw: 'fe80::1' }] },
    dns: {},
  });
});

test('an address says its version before 1.0.0, and an interface its MTU since 1.1.0', async () => {
  for (const cniVersion of ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0']) {
    const { answer } = await ask({ ...NETWORK, cniVersion });
    expect(answer.cniVersion).toBe(cniVersion);
    expect(answer.interfaces[1]).toMatchObject({ name: 'eth0', sandbox: '/run/netns/web' });
    expect('mtu' in answer.interfaces[1]).toBe(cniVersion === '1.1.0');
    expect(answer.ips.map((ip: { version?: string }) => ip.version)).toEqual(
      cniVersion < '1' ? ['4', '6'] : [undefined, undefined],
    );
    expect(answer.ips[0].interface).toBe(1);
  }
});

test('a pod of Kubernetes has its name, its namespace and the profile of it', async () => {
  const env = {
    CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=prod;K8S_POD_NAME=web-0.a;K8S_POD_UID=1;X=y',
  };
  const { request, host } = await ask(NETWORK, { env });
  expect(request).toMatchObject({
    orchestrator: 'k8s',
    namespace: 'prod',
    name: 'web-0.a',
    profiles: ['kns.prod'],
    network: 'fabric',
  });
  expect(host.profiles).toEqual(['kns.prod']);
});

test('elsewhere a container has the name that podman tells, or its id, and the profile of the network', async () => {
  const podman = { CNI_ARGS: 'IgnoreUnknown=1;K8S_POD_NAME=My_web' };
  expect((await ask(NETWORK, { env: podman })).request).toMatchObject({
    orchestrator: 'cni',
    namespace: 'default',
    name: 'my-web',
    profiles: ['fabric'],
  });
  expect((await ask(NETWORK)).request).toMatchObject({ name: 'c0ffee' });
});

test.each([
  [{ args: { cni: { labels: [{ key: 'app', value: 'web' }] } } }, { app: 'web' }],
  [{ args: { cni: { labels: { app: 'web' } } } }, { app: 'web' }],
  [
    {
      args: {
        'org.apache.mesos': { network_info: { labels: { labels: [{ key: 'a', value: 'b' }] } } },
      },
    },
    { a: 'b' },
  ],
  [{ metadata: { app_id: 'x1', space_id: '', ports: 8080 } }, { 'cloudfoundry.org/app-id': 'x1' }],
])('labels: %j', async (config, labels) => {
  expect((await ask({ ...NETWORK, ...config })).request?.labels).toEqual(labels);
});

test('the runtime counts more than args, args more than annotations, those more than CNI_ARGS', async () => {
  const env = { CNI_ARGS: 'IP=10.65.0.4;MAC=02:00:00:00:00:04' };
  const annotations = {
    'cni.projectcalico.org/ipAddrs': '["10.65.0.3"]',
    'cni.projectcalico.org/hwAddr': '02:00:00:00:00:03',
  };
  const layers = [
    {},
    { runtimeConfig: { 'io.kubernetes.cri.pod-annotations': annotations } },
    { args: { cni: { ips: ['10.65.0.2/24'], mac: '02:00:00:00:00:02' } } },
    { runtimeConfig: { ips: ['10.65.0.1'], mac: '02:00:00:00:00:01' } },
  ];
  for (const [at, layer] of layers.entries()) {
    const config = Object.assign({}, NETWORK, ...layers.slice(0, at), layer);
    const { request } = await ask(config, { env });
    expect(request?.addresses).toEqual([`10.65.0.${4 - at}`]);
    expect(request?.mac).toBe(`02:00:00:00:00:0${4 - at}`);
  }
});

test('pools and families: IPv4 alone for calico-ipam, every family for ours', async () => {
  const ipam = { type: 'calico-ipam', ipv4_pools: ['10.65.0.0/16'] };
  expect((await ask({ ...NETWORK, ipam })).request).toMatchObject({
    families: ['ipv4'],
    pools: ['10.65.0.0/16'],
  });
  const both = { type: 'calico-ipam', assign_ipv6: 'true' };
  expect((await ask({ ...NETWORK, ipam: both })).request?.families).toEqual(['ipv4', 'ipv6']);
  expect(
    (await ask({ ...NETWORK, ipam: { type: 'overland-ipam' } })).request?.families,
  ).toBeUndefined();
});

test('port mappings become ports of the endpoint, in the spelling of Mesos too', async () => {
  const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp', hostIP: '10.0.0.1' }];
  const runtime = await ask({ ...NETWORK, runtimeConfig: { portMappings } });
  expect(runtime.request?.ports).toEqual([
    { port: 80, protocol: 'TCP', hostPort: 8080, hostIP: '10.0.0.1' },
  ]);
  const network_info = {
    port_mappings: [{ host_port: 53, container_port: 5353, protocol: 'udp' }],
  };
  const mesos = await ask({ ...NETWORK, args: { 'org.apache.mesos': { network_info } } });
  expect(mesos.request?.ports).toEqual([{ port: 5353, protocol: 'UDP', hostPort: 53 }]);
});

test('name resolution of the runtime is passed through, in both spellings', async () => {
  const dns = { nameservers: ['10.0.0.53'], domain: 'example.org' };
  expect((await ask({ ...NETWORK, dns })).answer.dns).toEqual(dns);
  for (const given of [
    { servers: ['10.1.1.1'], searches: ['a.b'], options: ['ndots:2'] },
    { Servers: ['10.1.1.1'], Searches: ['a.b'], Options: ['ndots:2'] },
  ]) {
    const { answer } = await ask({ ...NETWORK, dns, runtimeConfig: { dns: given } });
    expect(answer.dns).toEqual({
      nameservers: ['10.1.1.1'],
      search: ['a.b'],
      options: ['ndots:2'],
    });
  }
});

test('behind other plugins their result stays, unknown fields included', async () => {
  const prevResult = {
    cniVersion: '1.1.0',
    interfaces: [{ name: 'mgmt0', sandbox: '/run/netns/web', pciID: '1' }],
    ips: [{ address: '192.168.0.2/24', interface: 0 }],
    dns: { domain: 'example.org' },
    'example.org/extra': { a: 1 },
  };
  const { answer } = await ask({ ...NETWORK, prevResult });
  expect(answer).toMatchObject({
    interfaces: [prevResult.interfaces[0], { name: 'cali0123456789a' }, { name: 'eth0' }],
    ips: [prevResult.ips[0], { address: '10.65.0.1/32', interface: 2 }, { interface: 2 }],
    dns: { domain: 'example.org' },
    'example.org/extra': { a: 1 },
  });
  const taken = { ...prevResult, interfaces: [{ name: 'eth0', sandbox: '/run/netns/web' }] };
  expect(await ask({ ...NETWORK, prevResult: taken })).toMatchObject({
    exitCode: 1,
    answer: { code: 7, msg: expect.stringContaining('prevResult has eth0 already') },
  });
});

test('another IPAM is asked with our input, and gives the addresses and routes', async () => {
  const host = new FakeHost();
  host.pluginAnswer = () => ({
    ips: [{ address: '10.1.0.9/24', gateway: '10.1.0.1' }],
    routes: [{ dst: '10.0.0.0/8' }],
  });
  const config = { ...NETWORK, ipam: { type: 'host-local' } };
  const { request, answer } = await ask(config, { host });
  expect(host.runs).toEqual([
    { type: 'host-local', path: ['/opt/cni/bin'], env: ENV, stdin: JSON.stringify(config) },
  ]);
  expect(request).toMatchObject({ foreignAddresses: ['10.1.0.9'], routes: ['10.0.0.0/8'] });
  expect(answer.routes).toEqual([{ dst: '10.0.0.0/8', gw: '169.254.1.1' }]);

  await ask(config, { host, env: { CNI_COMMAND: 'DEL' } });
  expect(host.attached).toEqual([]);
  expect(host.runs.at(-1)?.env.CNI_COMMAND).toBe('DEL');
});

test('what another IPAM refuses is answered; what it gave is given back when the rest fails', async () => {
  const config = { ...NETWORK, ipam: { type: 'host-local' } };
  const refusing = new FakeHost();
  refusing.pluginAnswer = () => {
    throw new CniError(11, 'host-local: no addresses left');
  };
  const refused = await ask(config, { host: refusing });
  expect(refused.answer).toMatchObject({ code: 11, msg: 'host-local: no addresses left' });
  expect(refusing.runs).toHaveLength(1);

  const host = new FakeHost();
  host.pluginAnswer = () => ({ ips: [{ address: '10.1.0.9/24' }] });
  host.refusal = Object.assign(new Error('the datastore is away'), { name: 'UnavailableError' });
  const failed = await ask(config, { host });
  expect(failed.answer).toMatchObject({ code: 11, msg: 'the datastore is away' });
  expect(host.runs.map(({ env }) => env.CNI_COMMAND)).toEqual(['ADD', 'DEL']);
});

test('DEL is done whatever else is wrong, but not for a network whose interface it is not', async () => {
  const env = { CNI_COMMAND: 'DEL', CNI_NETNS: '', CNI_ARGS: 'nonsense' };
  const { host } = await ask(NETWORK);
  const other = { ...NETWORK, name: 'another' };
  expect(await ask(other, { host, env })).toMatchObject({ exitCode: 0, answer: undefined });
  expect(host.attached).toHaveLength(1);
  const broken = { ...NETWORK, mtu: 'x', prevResult: 'nonsense' };
  expect(await ask(broken, { host, env })).toMatchObject({ exitCode: 0, answer: undefined });
  expect(host.attached).toEqual([]);
});

test('CHECK says everything that is not as it was', async () => {
  const host = new FakeHost();
  const config = { ...NETWORK, prevResult: {} };
  const env = { CNI_COMMAND: 'CHECK' };
  expect(await ask(config, { host, env })).toMatchObject({ exitCode: 0, answer: undefined });
  host.faults = ['eth0 is down', 'eth0 has lost its address 10.65.0.1'];
  expect((await ask(config, { host, env })).answer).toMatchObject({
    code: 100,
    msg: 'eth0 is down; eth0 has lost its address 10.65.0.1',
  });
});

test('GC keeps what is listed, and what is of another network', async () => {
  const host = new FakeHost();
  for (const id of ['a', 'b', 'c']) await ask(NETWORK, { host, env: { CNI_CONTAINERID: id } });
  await ask({ ...NETWORK, name: 'another' }, { host, env: { CNI_CONTAINERID: 'd' } });
  const collect = async (list: object[]) => {
    const config = { ...NETWORK, 'cni.dev/valid-attachments': list };
    const { exitCode } = await ask(config, { host, env: { CNI_COMMAND: 'GC' } });
    expect(exitCode).toBe(0);
    return host.attached.map(({ containerId }) => containerId);
  };
  expect(
    await collect([
      { containerID: 'b', ifname: 'eth0' },
      { containerID: 'a', ifname: 'eth1' },
    ]),
  ).toEqual(['b', 'd']);
  expect(await collect([])).toEqual(['d']);
});

test('overland-ipam gives addresses alone, keeps them by container, and collects by network', async () => {
  const host = new FakeHost();
  const program = 'overland-ipam';
  const config = { ...NETWORK, cniVersion: '1.0.0', type: 'bridge', ipam: { type: program } };
  const { answer } = await ask(config, { host, program });
  expect(answer).toEqual({ cniVersion: '1.0.0', ips: [{ address: '10.65.0.7/32' }], dns: {} });
  expect([...host.held.values()]).toEqual([
    { network: 'fabric', containerId: 'c0ffee', ifname: 'eth0' },
  ]);

  const env = { CNI_COMMAND: 'CHECK' };
  const checked = { ...config, prevResult: answer };
  expect(await ask(checked, { host, program, env })).toMatchObject({ exitCode: 0 });
  const stale = { ...config, prevResult: { ips: [{ address: '10.65.0.8/32' }] } };
  expect(await ask(stale, { host, program, env })).toMatchObject({ answer: { code: 100 } });

  const empty = { ...config, cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] };
  await ask(empty, { host, program, env: { CNI_COMMAND: 'GC' } });
  expect(host.held.size).toBe(0);
  expect(await ask(config, { host, program, env: { CNI_COMMAND: 'DEL' } })).toMatchObject({
    exitCode: 0,
  });
});

test('a call is what the shim sends, and nothing else', () => {
  const call = { program: 'overland', env: { CNI_COMMAND: 'ADD', PATH: '/bin' }, stdin: '{}' };
  expect(parseCall(call)).toEqual(call);
  for (const wrong of [
    undefined,
    {},
    { ...call, more: 1 },
    { ...call, env: { LD_PRELOAD: 'x' } },
  ]) {
    expect(parseCall(wrong)).toBeUndefined();
  }
});

test.each([
  [
    { ingressRate: 10_000_000, ingressBurst: 80_000 },
    {},
    {
      ingressBandwidth: 10_000_000,
      ingressBurst: 80_000,
    },
  ],
  [
    { egressRate: 8000, egressBurst: 2 ** 40 },
    {},
    {
      egressBandwidth: 8000,
      egressBurst: 34_359_738_360,
    },
  ],
  [{ ingressRate: 0, ingressBurst: 0 }, {}, undefined],
  [undefined, { 'kubernetes.io/egress-bandwidth': '1.5M' }, { egressBandwidth: 1_500_000 }],
  [
    { ingressRate: 8000 },
    {
      'kubernetes.io/ingress-bandwidth': '1Mi',
      'qos.projectcalico.org/egressBandwidth': '1Gi',
      'qos.projectcalico.org/ingressPacketRate': '100',
      'qos.projectcalico.org/dscp': 'EF',
    },
    {
      ingressBandwidth: 8000,
      egressBandwidth: 1_073_741_824,
      ingressPacketRate: 100,
      dscp: 'EF',
    },
  ],
])(
  'bandwidth %j and annotations %j become limits of the endpoint',
  async (bandwidth, annotations, limits) => {
    const runtimeConfig = { bandwidth, 'io.kubernetes.cri.pod-annotations': annotations };
    expect((await ask({ ...NETWORK, runtimeConfig })).request?.qosControls).toEqual(limits);
  },
);
