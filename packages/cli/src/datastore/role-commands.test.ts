import { expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

test('each permission is one command, as etcdctl takes keys, prefixes and ranges', async () => {
  const { code, out } = await captureRun(
    'datastore roles --host rack-1 -n web --prefix /site'.split(' '),
  );
  expect(code).toBe(0);
  const lines = out.split('\n');
  const resources = '/site/calico/resources/v3/projectcalico.org';
  expect(lines).toContain(
    `etcdctl role grant-permission overland-rack-1 readwrite ${resources}/nodes/rack-1`,
  );
  expect(lines).toContain(
    `etcdctl role grant-permission --prefix=true overland-rack-1 read ${resources}/ippools/`,
  );
  const endpoints = `${resources}/workloadendpoints/web/rack--1`;
  expect(lines).toContain(
    `etcdctl role grant-permission overland-rack-1 readwrite ${endpoints}-. ${endpoints}.`,
  );
  // Fit to paste: nothing that a shell would take for anything but words.
  for (const line of lines) expect(line).toMatch(/^(# .*|[\w=./ -]*)$/);
});

test('a user who exists by another name is given the role', async () => {
  const args = 'datastore roles --host a --user Host.example.org'.split(' ');
  expect((await captureRun(args)).out).toContain(
    'etcdctl user add Host.example.org\netcdctl user grant-role Host.example.org overland-a\n',
  );
});

test('as JSON, for a script', async () => {
  const { out } = await captureRun(['datastore', 'roles', '--host', 'a', '-o', 'json']);
  const role = JSON.parse(out) as { permissions: { key: string; rangeEnd?: string }[] };
  expect(role).toMatchObject({ role: 'overland-a', user: 'overland-a' });
  expect(role.permissions).toContainEqual({
    type: 'readwrite',
    key: '/calico/ipam/v2/host/a/',
    rangeEnd: '/calico/ipam/v2/host/a0',
    reason: 'its own claims',
  });
});

test.each([
  ['--host', 'a;reboot'],
  ['--host', 'A'],
  ['--user', 'a b'],
  ['--user', 'a;b'],
  ['--namespace', '$(reboot)'],
  ['--prefix', '/a b'],
  ['--prefix', 'a'],
])('%s %j is refused', async (option, value) => {
  const { code, err } = await captureRun(['datastore', 'roles', '--host', 'a', option, value]);
  expect(code).toBe(2);
  expect(err).toContain(JSON.stringify(value));
});
