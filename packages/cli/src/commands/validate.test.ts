import fc from 'fast-check';
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
      '-:10: document 2, IPPool(rack2): spec.blocksize is not a known field; did you mean blockSize?',
      '-:10: document 2, IPPool(rack2): spec.cidr is required',
      '-:10: document 2, IPPool(rack2): spec.natOutgoing must be a boolean, not "yes"',
      '2 documents: 1 not valid',
      '',
    ].join('\n'),
    err: '',
  });
});

test('a document or a file that cannot be read is one line', async () => {
  const { out } = await validate(`${GOOD}---\na: [\n`, '-f', '/proc/self', '-f', '/dev/zero');
  expect(out.split('\n')).toEqual([
    expect.stringMatching(/^-:\d+: document 2 cannot be read: line \d+, column \d+: /),
    '/proc/self: holds no .yaml, .yml or .json file; -R also looks below, --skip-empty takes that',
    '/dev/zero: is longer than 4194304 bytes: split the file',
    '4 documents: 3 not valid',
    '',
  ]);
});

test('what a manifest says does not reach the terminal as it is', async () => {
  const { out } = await validate(GOOD.replace('rack1', '"a\\e[2J\\nb\\x9b"'));
  expect(out).toBe(
    [
      '-:4: document 1, IPPool(a\\u001b[2J\\u000ab\\u009b): metadata.name must be lower-case letters, digits, "-" and ".", at most 253 characters, not "a\\u001b[2J\\nb\\u009b"',
      '1 document: not valid',
      '',
    ].join('\n'),
  );
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
    '-:16: document 3, IPPool(rack1): metadata.name must be unique (document 1 of - has it, too)',
  );
  expect(out).toContain('3 documents: 1 not valid');
});

test('a document is called what it calls itself, in the namespace it will be in', async () => {
  const kubernetes = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {}}
`;
  const { code, out } = await validate(
    [kubernetes, kubernetes, ENDPOINT.replace('endpoint: eth0', 'endpoint: eth0, mtu: 1')].join(
      '---\n',
    ),
    '-o',
    'json',
  );
  expect(code).toBe(2);
  expect(JSON.parse(out)).toMatchObject([
    { kind: 'NetworkPolicy', name: 'web', namespace: 'shop', valid: true },
    { name: 'web', valid: false, errors: [{ path: 'metadata.name', value: 'web' }] },
    { name: 'h1-cni-c1-eth0', namespace: 'default', errors: [{ path: 'spec.mtu', value: null }] },
  ]);
});

test('whatever comes in, each document has one verdict of the same shape', async () => {
  const pieces = fc.constantFrom(
    ...[
      GOOD,
      BAD,
      ENDPOINT,
      '---\n',
      '\n',
      ': ',
      '- ',
      '[',
      '}',
      '&a ',
      '*a',
      '\t',
      '\0',
      '"',
      '|\n',
    ],
    ...[
      'kind: List\nitems:\n',
      'metadata: ',
      'spec: 7\n',
      '9'.repeat(30),
      '{"a": 1}',
      '\u{1F600}',
      'ü',
    ],
  );
  const shape = fc.array(pieces, { maxLength: 8 }).map((some) => some.join(''));
  await fc.assert(
    fc.asyncProperty(shape, async (text) => {
      const { code, out, err } = await validate(text, '-o', 'json');
      const verdicts = JSON.parse(out) as Record<string, unknown>[];
      expect(err).toBe('');
      for (const [i, { namespace, ...verdict }] of verdicts.entries()) {
        const { errors, valid } = verdict as { errors: object[]; valid: boolean };
        expect(Object.keys(verdict)).toEqual(['file', 'index', 'kind', 'name', 'valid', 'errors']);
        expect(verdict.index).toBe(i);
        expect(['string', 'undefined']).toContain(typeof namespace);
        expect(valid).toBe(errors.length === 0);
        for (const fault of errors) expect(Object.keys(fault)).toEqual(['path', 'value', 'rule']);
      }
      expect(code).toBe(verdicts.every(({ valid }) => valid) ? 0 : 2);
    }),
    { numRuns: 300 },
  );
});
