import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { captureRun } from '../testing/captured-run.ts';

const directory = mkdtempSync(join(tmpdir(), 'bgp-run-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a port for metrics that is none is refused', async () => {
  writeFileSync(join(directory, 'small.yaml'), 'asn: 65011\nrouterId: 10.0.0.11\n');
  const file = join(directory, 'small.yaml');
  for (const port of ['0', '65536', 'x']) {
    const { code, err } = await captureRun(['bgp', 'run', '-c', file, '--metrics-port', port]);
    expect(code).toBe(2);
    expect(err).toContain(`--metrics-port must be a port from 1 to 65535, not ${port}`);
  }
});

test('what a speaker file means is shown without its passwords', async () => {
  writeFileSync(
    join(directory, 'speaker.yaml'),
    `asn: 65011
routerId: 10.0.0.11
peers:
  - { address: 10.1.0.0, asn: 65000, password: s3cret }
  - { address: 10.1.0.2, asn: 65000, passwordFile: /etc/overland/bgp.key }
`,
  );
  const { code, out } = await captureRun([
    'bgp',
    'run',
    '-c',
    join(directory, 'speaker.yaml'),
    '--dry-run',
  ]);
  expect(code).toBe(0);
  expect(out).not.toContain('s3cret');
  expect(JSON.parse(out).peers).toMatchObject([
    { address: '10.1.0.0', password: {} },
    { password: { file: '/etc/overland/bgp.key' } },
  ]);
});
