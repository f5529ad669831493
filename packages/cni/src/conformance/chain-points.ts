import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressesIn } from './attach-points.ts';
import { type Bench, demandError, saidBy } from './bench.ts';
import { demand, NotApplicable, type Point } from './verdict.ts';

/** A plugin among others, and what runtimes add to its configuration: 31 to 35, and 37. */
export const CHAIN_POINTS: readonly Point<Bench>[] = [
  {
    number: 31,
    title: 'behind another plugin, its result stays, unknown fields included',
    async check(bench) {
      const container = await bench.container();
      const sandbox = container.netns;
      const prevResult = {
        cniVersion: bench.version,
        interfaces: [{ name: 'mgmt0', mac: '02:00:00:00:00:77', sandbox }],
        ips: [{ address: '192.0.2.7/24', interface: 0 }],
        dns: { domain: 'conformance.example' },
      };
      const { answer } = await bench.add(container, { config: { prevResult } });
      const names = (answer.interfaces as { name: string }[]).map(({ name }) => name);
      demand(names.includes('mgmt0'), 'the interface of the plugin before is gone from the result');
      demand(addressesIn(answer).includes('192.0.2.7/24'), 'its address is gone from the result');
      demand(answer.dns?.domain === 'conformance.example', 'its dns is gone from the result');
      await bench.del(container, { config: { prevResult: answer } });
    },
  },
  {
    number: 32,
    title: 'before tuning: both succeed, and DEL in reverse leaves nothing',
    async check(bench) {
      const tuning = await findIn(bench, 'tuning');
      const { answer } = await bench.run('VERSION', { plugin: tuning });
      const known: readonly string[] = answer?.supportedVersions ?? [];
      const cniVersion = bench.versions.findLast((version) => known.includes(version));
      if (!cniVersion) throw new NotApplicable('tuning knows none of its versions');
      const before = await bench.hostState();
      const container = await bench.container();
      const first = await bench.add(container, { config: { cniVersion } });
      const settings = { cniVersion, type: 'tuning', mtu: 1400, ipam: undefined };
      const config = { ...settings, prevResult: first.answer };
      const second = await bench.run('ADD', { ...container, plugin: tuning, config });
      demand(second.code === 0, `tuning failed: ${saidBy(second)}`);
      const link = await container.kernel.links.get('eth0');
      demand(link?.mtu === 1400, `eth0 has the MTU ${link?.mtu}, not that of tuning`);
      const last = { cniVersion, prevResult: second.answer };
      await bench.run('DEL', { ...container, plugin: tuning, config: { ...config, ...last } });
      await bench.del(container, { config: last });
      await bench.demandSameHost(before, 'after both DELs');
    },
  },
  {
    number: 33,
    title: 'another IPAM is asked with the same input, its error told, its address given back',
    async check(bench) {
      await using ipam = await plantedIpam(bench);
      const { path } = bench.options;
      const over = { env: { CNI_PATH: [ipam.directory, ...path].join(':') } };
      const config = { ipam: { type: 'conformance-ipam', marker: 'c0ffee' } };
      const container = await bench.container();
      const { answer } = await bench.add(container, { ...over, config });
      const given = addressesIn(answer).map((address) => address.replace(/\/.*/, ''));
      demand(given.includes('192.0.2.99'), `it reports ${given.join(' ')}, not what the IPAM gave`);
      const env = await ipam.told('ADD.env');
      for (const line of [`CNI_CONTAINERID=${container.id}`, 'CNI_IFNAME=eth0']) {
        demand(env.includes(line), `the IPAM was not told ${line}`);
      }
      demand((await ipam.told('ADD.stdin')).includes('c0ffee'), 'the IPAM was not given the input');
      await bench.del(container, { ...over, config });
      demand((await ipam.told('DEL.env')) !== '', 'DEL did not ask the IPAM');

      const taken = await bench.container();
      const peer = { name: 'other0', namespace: taken.netns };
      await taken.kernel.links.createVeth({ name: 'eth0', mtu: 1500, peer });
      await ipam.forget();
      demandError(
        await bench.run('ADD', { ...taken, ...over, config }),
        'ADD of a name that is taken',
      );
      const asked = await ipam.told('ADD.env');
      const returned = await ipam.told('DEL.env');
      demand(asked === '' || returned !== '', 'after a failure the address was not given back');

      const failing = { ipam: { type: 'conformance-ipam', fail: true } };
      const run = await bench.run('ADD', {
        ...(await bench.container()),
        ...over,
        config: failing,
      });
      demandError(run, 'ADD with an IPAM that fails');
      demand(JSON.stringify(run.answer).includes('planted'), "the IPAM's error is not told");
    },
  },
  {
    number: 34,
    title: 'as IPAM of another plugin it answers addresses alone',
    async check(bench) {
      const { ipam } = bench.options;
      if (ipam === undefined) throw new NotApplicable('it is no IPAM, or none was named');
      const plugin = await findIn(bench, ipam);
      const container = await bench.container();
      const config = { type: 'bridge', ipam: { type: ipam } };
      const run = await bench.run('ADD', { ...container, plugin, config });
      demand(run.code === 0, `ADD failed: ${saidBy(run)}`);
      demand(!run.answer.interfaces?.length, 'it reports interfaces');
      demand(addressesIn(run.answer).length > 0, 'it reports no addresses');
      const ips = run.answer.ips as { interface?: number }[];
      demand(
        ips.every((ip) => ip.interface === undefined),
        'its addresses have an interface',
      );
      const again = await bench.run('DEL', { ...container, plugin, config });
      demand(again.code === 0, `DEL failed: ${saidBy(again)}`);
    },
  },
  {
    number: 35,
    title: 'the runtime may ask for addresses and MAC, if declared',
    async check(bench) {
      const declared = (bench.options.config.capabilities ?? {}) as Record<string, boolean>;
      if (!declared.ips && !declared.mac)
        throw new NotApplicable('it declares neither ips nor mac');
      const probe = await bench.container();
      const [ip = ''] = addressesIn((await bench.add(probe)).answer);
      await bench.del(probe);
      const container = await bench.container();
      const mac = '02:00:00:c0:ff:ee';
      const runtimeConfig = { ...(declared.ips && { ips: [ip] }), ...(declared.mac && { mac }) };
      const { answer } = await bench.add(container, { config: { runtimeConfig } });
      demand(!declared.ips || addressesIn(answer).includes(ip), `it did not give ${ip}`);
      const link = await container.kernel.links.get('eth0');
      demand(!declared.mac || link?.mac === mac, `eth0 has the MAC address ${link?.mac}`);
      await bench.del(container);
    },
  },
  {
    number: 37,
    title: 'dns of the network is passed on, that of the runtime if declared',
    async check(bench) {
      const container = await bench.container();
      const dns = { nameservers: ['192.0.2.53'], domain: 'conformance.example' };
      const { answer } = await bench.add(container, { config: { dns } });
      demand(
        answer.dns?.nameservers?.[0] === '192.0.2.53',
        'dns of the network is not in the result',
      );
      await bench.del(container);
      const declared = (bench.options.config.capabilities ?? {}) as Record<string, boolean>;
      if (!declared.dns) return;
      for (const given of [{ servers: ['192.0.2.54'] }, { Servers: ['192.0.2.54'] }]) {
        const config = { runtimeConfig: { dns: given } };
        const run = await bench.add(container, { config });
        demand(
          run.answer.dns?.nameservers?.[0] === '192.0.2.54',
          'dns of the runtime is not in the result',
        );
        await bench.del(container);
      }
    },
  },
];

async function findIn({ options }: Bench, name: string): Promise<string> {
  for (const directory of options.path) {
    const file = join(directory, name);
    if (
      await access(file).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new NotApplicable(`there is no ${name} in ${options.path.join(':')}`);
}

/** Writes down what it is told, and gives one address; fails if its configuration says so. */
async function plantedIpam(bench: Bench) {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-'));
  const file = join(directory, 'conformance-ipam');
  const ips = [{ address: '192.0.2.99/24', gateway: '192.0.2.1' }];
  const answer = JSON.stringify({ cniVersion: bench.version, ips });
  await writeFile(
    file,
    `#!/bin/sh
cd ${directory} || exit 1
env >"$CNI_COMMAND.env"
cat >"$CNI_COMMAND.stdin"
[ "$CNI_COMMAND" = ADD ] || exit 0
if grep -q '"fail":true' ADD.stdin; then
  echo '{"cniVersion":"${bench.version}","code":123,"msg":"planted failure"}'
  exit 1
fi
echo '${answer}'
`,
  );
  await chmod(file, 0o700);
  const logs = ['ADD.env', 'ADD.stdin', 'DEL.env', 'DEL.stdin'];
  return {
    directory,
    told: (name: string): Promise<string> =>
      readFile(join(directory, name), 'utf8').catch(() => ''),
    async forget(): Promise<void> {
      for (const log of logs) await rm(join(directory, log), { force: true });
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
