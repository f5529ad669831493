import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { reportItems } from './report-items.ts';
import { type ItemResult, NotTriedError } from './run-items.ts';

const CREATE = { verb: 'create', done: 'created', output: 'table', isDryRun: false } as const;

function item(kind: string, name: string, line = 1): ItemResult['item'] {
  const content = { type: 'named' } as const;
  return { place: `a.yaml:${line}`, kind, name: { name }, subject: `${kind}(${name})`, content };
}

const made: ItemResult = { item: item('Node', 'a'), outcome: 'created' };
const failed = (name: string, line: number, error: Error, kind = 'Node'): ItemResult => ({
  item: item(kind, name, line),
  outcome: 'failed',
  error,
});
const exists = Object.assign(new Error('Node(b) exists already'), { name: 'ResourceExistsError' });

function report(results: readonly ItemResult[], options: object = {}) {
  const written = { out: '', err: '' };
  const sink = (key: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk);
        done();
      },
    });
  const streams = { stdout: sink('out'), stderr: sink('err') };
  return { code: reportItems(streams, results, { ...CREATE, ...options }), ...written };
}

test('the words of calicoctl, for one kind and for several', () => {
  expect(report([made])).toEqual({
    code: 0,
    out: "Successfully created 1 'Node' resource(s)\n",
    err: '',
  });
  const pool: ItemResult = { item: item('IPPool', 'p'), outcome: 'skipped' };
  expect(report([made, made, pool]).out).toBe('Successfully created 2 resource(s), 1 skipped\n');
  expect(report([])).toEqual({ code: 0, out: 'No resources specified\n', err: '' });
});

test.each([
  [[failed('b', 2, exists)], "failed to create 'Node' resource:"],
  [[failed('b', 2, exists), failed('b', 3, exists)], "failed to create any 'Node' resources:"],
  [[failed('b', 2, exists), failed('b', 3, exists, 'Tier')], 'failed to create any resources:'],
])('all failed: case %#', (results, first) => {
  const { code, out, err } = report(results);
  expect({ code, out }).toEqual({ code: 4, out: '' });
  const lines = err.split('\n');
  expect(lines[0]).toBe(`overland: ${first}`);
  expect(lines[1]).toBe('overland:   a.yaml:2: Node(b) exists already');
});

test('a part failed: how many, and which; never "the first"', () => {
  expect(report([made, failed('b', 2, exists), made])).toEqual({
    code: 4,
    out: "Partial success: created 2 of 3 'Node' resources\n",
    err: 'overland: hit error on 1 of 3:\noverland:   a.yaml:2: Node(b) exists already\n',
  });
});

test('each rule that is broken is a line; what does not name the object is given its name', () => {
  const rules = new Error('Node(b): spec.x is wrong\nNode(b): spec.y is wrong');
  const { err } = report([failed('b', 2, rules), failed('c', 9, new Error('no'))]);
  expect(err.split('\n').slice(1, 4)).toEqual([
    'overland:   a.yaml:2: Node(b): spec.x is wrong',
    'overland:   a.yaml:2: Node(b): spec.y is wrong',
    'overland:   a.yaml:9: Node(c): no',
  ]);
});

test('what was not tried is counted, not listed', () => {
  const untried = () => new NotTriedError('interrupted', 'InterruptedError');
  const { err } = report([
    made,
    failed('b', 2, untried()),
    failed('c', 3, untried()),
    failed('d', 4, untried()),
  ]);
  expect(err).toBe(
    'overland: hit error on 3 of 4:\noverland:   a.yaml:2: Node(b): not tried: interrupted\noverland:   and 2 more that were not tried\n',
  );
});

test('for a script, every document', () => {
  const { code, out, err } = report([made, failed('b', 2, exists)], { output: 'json' });
  expect({ code, err }).toEqual({ code: 4, err: '' });
  expect(JSON.parse(out)).toEqual([
    { place: 'a.yaml:1', kind: 'Node', name: 'a', outcome: 'created' },
    {
      place: 'a.yaml:2',
      kind: 'Node',
      name: 'b',
      outcome: 'failed',
      error: { code: 4, message: 'Node(b) exists already' },
    },
  ]);
});

test('a dry run says what each would come to, and that nothing was written', () => {
  expect(report([made], { isDryRun: true }).out).toBe(
    "Node(a) created (dry run)\nDry run: nothing was written. Successfully created 1 'Node' resource(s)\n",
  );
});
