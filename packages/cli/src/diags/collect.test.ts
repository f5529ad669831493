import { expect, test } from 'vitest';
import { collectAll, outputOf } from './collect.ts';

const options = {
  scrub: (text: string) => text.replaceAll('secret', '***'),
  signal: new AbortController().signal,
  onDone: () => undefined,
};

function program(name: string, ...argv: string[]) {
  return { name, collect: (signal: AbortSignal) => outputOf(argv, signal) };
}

test('one that fails is noted, and the others are there; all of it is scrubbed', async () => {
  const { files, outcomes } = await collectAll(
    [
      program('b/works', 'printf', 'a secret'),
      program('a/missing', '/no/such/program-secret'),
      program('c/half', 'sh', '-c', 'echo half; echo why >&2; exit 3'),
      program('d/fails', 'sh', '-c', 'echo why secret >&2; exit 3'),
      { name: 'e.json', collect: async () => ({ text: '{}' }) },
    ],
    options,
  );
  const texts = files.map(({ path, content }) => [path, Buffer.from(content).toString()]);
  expect(texts).toEqual([
    ['b/works.txt', 'a ***'],
    ['c/half.txt', 'half\n'],
    ['e.json', '{}'],
  ]);
  expect(outcomes.map(({ name, trouble }) => [name, trouble])).toEqual([
    ['a/missing', '/no/such/program-*** is not installed'],
    ['b/works', undefined],
    ['c/half', 'why'],
    ['d/fails', 'why ***'],
    ['e.json', undefined],
  ]);
});

test('one that hangs is stopped; what it has said is kept', async () => {
  const { files, outcomes } = await collectAll(
    [
      program('hangs', 'sh', '-c', 'echo begun; exec sleep 60'),
      { name: 'deaf', collect: () => new Promise<never>(() => undefined) },
    ],
    { ...options, deadlineMs: 300 },
  );
  expect(files.map(({ path }) => path)).toEqual(['hangs.txt']);
  expect(outcomes.map(({ name, trouble }) => [name, trouble])).toEqual([
    ['deaf', 'no answer within 0.3 s'],
    ['hangs', 'stopped: it took too long'],
  ]);
});
