import { expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../testing/captured-run.ts';

const validate = (stdin: string, ...args: string[]): Promise<CapturedRun> =>
  captureRun(['validate', '-f', '-', ...args], { stdin });

const GOOD = `
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: rack1}
spec: {cidr: 10.65.0.0/16}
`;
const BAD = `
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: rack2}
spec: {cidr: null, blocksize: 26, natOutgoing: 'yes'}
`;
const ENDPOINT = `
apiVersion: projectcalico.org/v3
kind: WorkloadEndpoint
metadata: {name: h1-cni-c1-eth0}
spec: {orchestrator: cni, node: h1, containerID: c1, endpoint: eth0}
`;

test('one verdict per document, with everything that is wrong', async () => {
  const { code, out } = await validate(
    [GOOD, BAD, 'a: [\n', ENDPOINT, '- 1'].join('---\n'),
    '-o',
    'json',
  );
  expect(code).toBe(2);
  expect(JSON.parse(out)).toEqual([
    { file: '-', index: 0, kind: 'IPPool', name: 'rack1', valid: true, errors: [] },
    {
      file: '-',
      index: 1,
      kind: 'IPPool',
      name: 'rack2',
      valid: false,
      errors: [
        {
          path: 'spec.blocksize',
          value: null,
          rule: 'is not a known field; did you mean blockSize?',
        },
        { path: 'spec.cidr', value: null, rule: 'is required' },
        { path: 'spec.natOutgoing', value: 'yes', rule: 'must be a boolean' },
      ],
    },
    {
      file: '-',
      index: 2,
      kind: null,
      name: null,
      valid: false,
      errors: [
        {
          path: '',
          value: null,
          rule: expect.stringMatching(/^cannot be read: line \d+, column \d+: /),
        },
      ],
    },
    {
      file: '-',
      index: 3,
      kind: 'WorkloadEndpoint',
      name: 'h1-cni-c1-eth0',
      namespace: 'default',
      valid: true,
      errors: [],
    },
    {
      file: '-',
      index: 4,
      kind: null,
      name: null,
      valid: false,
      errors: [{ path: '', value: [1], rule: 'must be an object' }],
    },
  ]);
});

test('for a person, a line for each fault', async () => {
  expect(await validate(`${GOOD}---${BAD}`)).toEqual({
    code: 2,
    out: [
      '-:7: document 2, IPPool(rack2): spec.blocksize is not a known field; did you mean blockSize?',
      '-:7: document 2, IPPool(rack2): spec.cidr is required',
      '-:7: document 2, IPPool(rack2): spec.natOutgoing must be a boolean, not "yes"',
      '2 documents: 1 not valid',
      '',
    ].join('\n'),
    err: '',
  });
});

test('all valid is exit code 0', async () => {
  expect(await validate(`${GOOD}---${ENDPOINT}`)).toEqual({
    code: 0,
    out: '2 documents: valid\n',
    err: '',
  });
});

test('the same object twice is a mistake; the same name of another kind is none', async () => {
  const other = GOOD.replace('IPPool', 'BGPPeer').replace(/spec.*/, 'spec: {peerIP: 10.0.0.1}');
  const { code, out } = await validate([GOOD, other, GOOD].join('---\n'));
  expect(code).toBe(2);
  expect(out).toContain(
    '-:14: document 3, IPPool(rack1): metadata.name must be unique (document 1 of - has it, too)',
  );
  expect(out).toContain('3 documents: 1 not valid');
});
