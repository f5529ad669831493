import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { startFrr } from './support/frr.ts';
import { until } from './support/until.ts';

const NEAR = '10.65.0.1';
const FAR = '10.99.1.1';
const FAR_NETWORK = '10.99.1.0/24';

interface Link extends AsyncDisposable {
  readonly host: TestNamespace;
  readonly leaf: TestNamespace;
}

/** A link that has nothing but the kernel's link-local addresses. */
async function link(): Promise<Link> {
  const [host, leaf] = [await netns(), await netns()];
  await cable({ namespace: host, device: 'eth1' }, { namespace: leaf, device: 'swp1' });
  await host.ip('addr', 'add', `${NEAR}/32`, 'dev', 'lo');
  await leaf.ip('addr', 'add', `${FAR}/32`, 'dev', 'lo');
  await host.ip('addr', 'add', 'fd00:65::1/128', 'dev', 'lo', 'nodad');
  await leaf.ip('addr', 'add', 'fd00:99::1/128', 'dev', 'lo', 'nodad');
  return {
    host,
    leaf,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await leaf[Symbol.asyncDispose]();
    },
  };
}

const speakerFile = (peer: object = {}): string =>
  JSON.stringify({
    asn: 65101,
    routerId: '10.0.0.5',
    originate: ['10.65.0.0/26', 'fd00:65::/122'],
    peers: [
      { interface: 'eth1', asn: 'external', holdSeconds: 3, connectRetrySeconds: 1, ...peer },
    ],
  });

const frrConfig = (asn = 65011, remote = 'external') => `
router bgp ${asn}
 bgp router-id 10.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 timers bgp 1 3
 neighbor swp1 interface remote-as ${remote}
 neighbor swp1 timers connect 1
 address-family ipv4 unicast
  network ${FAR_NETWORK}
  neighbor swp1 activate
 address-family ipv6 unicast
  network fd00:99::/64
  neighbor swp1 activate
`;

const kernelRoute = (namespace: TestNamespace, prefix: string): Promise<string> =>
  until(`there is a route to ${prefix}`, () =>
    namespace.ip(prefix.includes(':') ? '-6' : '-4', 'route', 'show', prefix),
  );

async function pingsWork({ host, leaf }: Link): Promise<void> {
  await host.exec(['ping', '-c', '2', '-W', '2', '-I', NEAR, FAR]);
  await leaf.exec(['ping', '-c', '2', '-W', '2', '-I', FAR, NEAR]);
  await host.exec(['ping', '-c', '2', '-W', '2', '-I', 'fd00:65::1', 'fd00:99::1']);
}

test('unnumbered with FRR: routes of both families, and packets over them', async () => {
  await using net = await link();
  await using _frr = await startFrr(net.leaf, frrConfig());
  await using run = await startBgpRun(net.host, speakerFile());
  expect(await kernelRoute(net.host, FAR_NETWORK)).toMatch(/via inet6 fe80::\S+ dev eth1 proto 86/);
  expect(await kernelRoute(net.host, 'fd00:99::/64')).toMatch(/via fe80::\S+ dev eth1 proto 86/);
  expect(await kernelRoute(net.leaf, '10.65.0.0/26')).toMatch(/via inet6 fe80::\S+ dev swp1/);
  expect(await kernelRoute(net.leaf, 'fd00:65::/122')).toMatch(/via fe80::\S+ dev swp1/);
  await pingsWork(net);
  const { peers } = await run.summary();
  expect(peers).toMatchObject([{ name: 'eth1', asn: 65011, state: 'Established' }]);
});
