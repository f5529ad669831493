import { expect, test } from 'vitest';
import { type Command, command, OUTPUT_OPTION } from '../command.ts';
import { captureRun } from '../testing/captured-run.ts';
import { findCandidates } from './find-candidates.ts';

const get = command({
  name: 'get',
  summary: 'Show objects',
  arguments: {
    kind: { summary: 'kind' },
    names: { summary: 'names', variadic: true, optional: true },
  },
  options: {
    output: OUTPUT_OPTION,
    config: { type: 'string', short: 'c', value: 'file', summary: 'where' },
    namespace: { type: 'string', short: 'n', summary: 'namespace' },
    allNamespaces: { type: 'boolean', short: 'A', summary: 'all' },
  },
  examples: [
    ['overland get nodes', ''],
    ['overland get pools', ''],
  ],
  handle: async () => 0,
});
const apply = command({
  name: 'apply',
  summary: 'Apply',
  options: { filename: { type: 'list', short: 'f', value: 'file', summary: 'manifests' } },
  examples: [
    ['overland apply -f x', ''],
    ['overland apply -f y', ''],
  ],
  handle: async () => 0,
});
const nodeStatus = { ...apply, name: 'node status', summary: 'Status', options: {}, arguments: {} };
const nodeDiags = { ...nodeStatus, name: 'node diags', summary: 'Diagnostics' };

const workloadRm = {
  ...nodeStatus,
  name: 'workload rm',
  summary: 'Remove',
  arguments: { name: { summary: 'name' } },
};
const label = {
  ...get,
  name: 'label',
  arguments: {
    kind: { summary: '' },
    name: { summary: '' },
    labels: { summary: '', variadic: true },
  },
} as const;

const COMMANDS = [workloadRm, label, get, apply, nodeStatus, nodeDiags].map((loaded: Command) => ({
  name: loaded.name,
  summary: loaded.summary,
  load: async () => loaded,
}));

test.each([
  ['', 'workload label get apply node --help'],
  ['no', 'node'],
  ['node ', 'status diags --help'],
  ['node di', 'diags'],
  ['nonsense ', ''],
  ['node status ', ''],
  ['get -', '--output --config --namespace --all-namespaces --help'],
  ['get --o', '--output'],
  ['get nodes -o ', 'table json'],
  ['get nodes -o js', 'json'],
  ['get nodes --output=js', '--output=json'],
  ['get --namespace ', ''],
  ['get ', 'kinds'],
  ['get -A no', 'kinds'],
  ['get -n default wep', 'kinds'],
  ['get --config ', 'files'],
  ['get --config=/et', 'files'],
  ['apply -f ', 'files'],
  ['apply -f a.yaml -f b', 'files'],
  ['get nodes ', 'names of nodes'],
  ['get -n kube -o json wep a -c f ', 'names of wep namespace=kube output=json config=f not a'],
  ['get --namespace=kube wep ', 'names of wep namespace=kube'],
  ['get wep -- -', 'names of wep'],
  ['get wep -n ', 'namespaces of wep'],
  ['label wep x ', ''],
  ['workload rm ', 'workloads'],
])('overland %s → %s', async (line, expected) => {
  const completion = await findCandidates(line.split(' '), COMMANDS);
  const shown = (): string => {
    switch (completion.type) {
      case 'words':
        return completion.candidates.map(({ word }) => word).join(' ');
      case 'names': {
        const { kind, options, given } = completion;
        const settings = Object.entries(options).map(([name, value]) => ` ${name}=${value}`);
        const not = given.length > 0 ? ` not ${given.join(' ')}` : '';
        return `names of ${kind}${settings.join('')}${not}`;
      }
      case 'namespaces':
        return `namespaces of ${completion.kind}`;
      default:
        return completion.type;
    }
  };
  expect(shown()).toBe(expected);
});

test('a datastore that is not there, and kinds that are not, give no answer and no noise', async () => {
  const env = { OVERLAND_DATASTORE_TYPE: 'sqlite', OVERLAND_SQLITE_PATH: '/nowhere/at-all.db' };
  const silent = { code: 0, out: '', err: '' };
  const commands = COMMANDS;
  expect(await captureRun(['__complete', '--', 'get', 'nodes', ''], { env, commands })).toEqual(
    silent,
  );
  expect(await captureRun(['__complete', '--', 'get', 'no', 'x'], { env, commands })).toEqual(
    silent,
  );
  expect(await captureRun(['__complete', '--', 'get', 'nonsense', ''], { commands })).toEqual(
    silent,
  );
});
