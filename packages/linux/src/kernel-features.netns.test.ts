import { expect, test } from 'vitest';
import { probeKernelFeatures } from './kernel-features.ts';

test('this kernel has what a host needs, and the host is as before', async () => {
  const findings = await probeKernelFeatures();
  expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
  expect(findings.map(({ name }) => name)).toContain('next-hop groups');
});

test('what the kernel does not do is missing, with its words', async () => {
  const probe = { need: 'required', reason: 'A test.' } as const;
  const [link, filter, program] = await probeKernelFeatures([
    { ...probe, name: 'no such link', argv: ['ip', 'link', 'add', 'x', 'type', 'nonsense'] },
    { ...probe, name: 'no such table', argv: ['nft', '-f', '-'], input: 'table nonsense x {}\n' },
    { ...probe, name: 'no such program', argv: ['nonsense-of-overland'] },
  ]);
  expect(link).toMatchObject({
    state: 'missing',
    detail: expect.stringMatching(/Unknown device type|not supported/),
  });
  expect(filter).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('syntax error'),
  });
  expect(program).toMatchObject({
    state: 'missing',
    detail: expect.stringContaining('nonsense-of-overland'),
  });
});
