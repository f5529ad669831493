import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Who may import whom: the table of docs/architecture.md, section 2, as data. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  net: [],
  model: ['net'],
  datastore: ['net', 'model'],
  linux: ['net'],
  bgp: ['net', 'linux'],
  fabric: ['net', 'model', 'bgp'],
  ipam: ['net', 'model', 'datastore'],
  workloads: ['net', 'model', 'ipam', 'datastore', 'linux'],
  cni: ['net', 'model', 'linux', 'workloads'],
  docker: ['net', 'model', 'linux', 'workloads'],
  felix: ['net', 'model', 'linux'],
  agent: [
    'net',
    'model',
    'datastore',
    'linux',
    'bgp',
    'fabric',
    'ipam',
    'workloads',
    'cni',
    'docker',
    'felix',
  ],
  lab: ['net', 'model', 'datastore', 'linux'],
  cli: [
    'net',
    'model',
    'datastore',
    'ipam',
    'linux',
    'bgp',
    'fabric',
    'felix',
    'agent',
    'cni',
    'lab',
  ],
};

const packages = new URL('../../packages/', import.meta.url);
const names = readdirSync(packages);

function dependenciesOf(name: string): string[] {
  const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, packages), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  return Object.keys(manifest.dependencies ?? {})
    .filter((dependency) => dependency.startsWith('@overland/'))
    .map((dependency) => dependency.slice('@overland/'.length));
}

test('every package has a row in the table', () => {
  expect(names.toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted());
});

test.each(names)('%s depends only on what the table allows', (name) => {
  for (const dependency of dependenciesOf(name)) expect(MAY_IMPORT[name]).toContain(dependency);
});
