import { SPEC_VERSIONS } from '../spec-version.ts';
import { type Bench, demandError, type RunOptions, saidBy } from './bench.ts';
import { demand, type Point } from './verdict.ts';

const CODE = { version: 1, unsupported: 2, environment: 4, decoding: 6, configuration: 7 } as const;

/** How a plugin takes what it is told: 1 to 9, and 36. */
export const PROTOCOL_POINTS: readonly Point<Bench>[] = [
  {
    number: 1,
    title: 'VERSION tells the versions, 0.3.1 to 1.0.0 among them',
    async check(bench) {
      const run = await bench.run('VERSION');
      demandVersions(run);
    },
  },
  {
    number: 2,
    title: 'VERSION with empty input and nonsense in the variables',
    async check(bench) {
      const env = { CNI_IFNAME: 'dummy', CNI_NETNS: 'dummy', CNI_PATH: 'dummy' };
      const stdin = '{"cniVersion":"1.0.0"}';
      demandVersions(await bench.run('VERSION', { env, stdin }));
      demandVersions(await bench.run('VERSION', { env, stdin: '' }));
    },
  },
  {
    number: 3,
    title: 'an unknown CNI_COMMAND is refused by name, code 4',
    async check(bench) {
      const { id, netns } = await bench.container();
      const run = await bench.run('FLY', { id, netns });
      demandError(run, 'CNI_COMMAND=FLY', [CODE.environment]);
      demand(JSON.stringify(run.answer).includes('FLY'), 'the answer does not name FLY');
    },
  },
  {
    number: 4,
    title: 'every variable that is missing is named, code 4',
    async check(bench) {
      const { id, netns } = await bench.container();
      for (const [command, variables] of [
        ['ADD', ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME']],
        ['DEL', ['CNI_CONTAINERID', 'CNI_IFNAME']],
      ] as const) {
        for (const name of variables) {
          const run = await bench.run(command, { id, netns, env: { [name]: undefined } });
          demandError(run, `${command} without ${name}`, [CODE.environment]);
          const answer = JSON.stringify(run.answer);
          demand(answer.includes(name), `${command} without ${name}: the answer does not name it`);
        }
      }
    },
  },
  {
    number: 5,
    title: 'a container id or interface name of wrong form is refused, code 4',
    async check(bench) {
      const { id, netns } = await bench.container();
      const wrong: RunOptions[] = [
        { id: '-x' },
        { id: 'a/b' },
        { ifname: 'sixteen-letters-' },
        { ifname: '.' },
        { ifname: 'a/b' },
        { ifname: 'a:b' },
      ];
      for (const options of wrong) {
        const run = await bench.run('ADD', { id, netns, ...options });
        demandError(run, `ADD with ${JSON.stringify(options)}`, [CODE.environment]);
      }
    },
  },
  {
    number: 6,
    title: 'empty or broken input is refused, code 6',
    async check(bench) {
      const { id, netns } = await bench.container();
      for (const stdin of ['', '{"cniVersion": "1.0.0",']) {
        const run = await bench.run('ADD', { id, netns, stdin });
        demandError(run, `ADD with the input '${stdin}'`, [CODE.decoding]);
      }
    },
  },
  {
    number: 7,
    title: 'a cniVersion that nobody knows is refused, code 1',
    async check(bench) {
      const { id, netns } = await bench.container();
      const run = await bench.run('ADD', { id, netns, config: { cniVersion: '9.9.9' } });
      demandError(run, 'ADD of 9.9.9', [CODE.version]);
    },
  },
  {
    number: 8,
    title: 'a network without a name, or with one of wrong form, is refused, code 7',
    async check(bench) {
      const { id, netns } = await bench.container();
      for (const name of [undefined, 'a/b']) {
        const run = await bench.run('ADD', { id, netns, config: { name } });
        demandError(run, `ADD with the name ${name}`, [CODE.configuration]);
      }
    },
  },
  {
    number: 9,
    title: 'a value that cannot be is refused, code 2, 6 or 7',
    async check(bench) {
      const { id, netns } = await bench.container();
      const before = await bench.hostState();
      const run = await bench.run('ADD', { id, netns, config: { mtu: 'many' } });
      demandError(run, 'ADD with mtu "many"', [
        CODE.unsupported,
        CODE.decoding,
        CODE.configuration,
      ]);
      await bench.demandSameHost(before, 'after it');
    },
  },
  {
    number: 36,
    title: 'an unknown key in CNI_ARGS is refused, code 2 or 4, but for IgnoreUnknown',
    async check(bench) {
      const container = await bench.container();
      const run = await bench.run('ADD', { ...container, args: 'CONFORMANCE=1' });
      demandError(run, 'ADD with CONFORMANCE=1', [CODE.unsupported, CODE.environment]);
      await bench.add(container, { args: 'IgnoreUnknown=1;CONFORMANCE=1' });
      await bench.del(container);
    },
  },
];

function demandVersions(run: Awaited<ReturnType<Bench['run']>>): void {
  demand(run.code === 0, `VERSION failed: ${saidBy(run)}`);
  const { cniVersion, supportedVersions } = run.answer ?? {};
  demand(typeof cniVersion === 'string', 'VERSION tells no cniVersion');
  demand(Array.isArray(supportedVersions), 'VERSION tells no supportedVersions');
  for (const version of SPEC_VERSIONS.slice(SPEC_VERSIONS.indexOf('0.3.1'), -1)) {
    demand(supportedVersions.includes(version), `VERSION does not tell ${version}`);
  }
}
