import { expect, test } from 'vitest';
import { type Part, supervise } from './supervise.ts';

function recorder() {
  const trace: string[] = [];
  const part =
    (name: string): Part =>
    async () => {
      trace.push(`start ${name}`);
      return {
        async [Symbol.asyncDispose]() {
          trace.push(`stop ${name}`);
        },
      };
    };
  return { trace, part };
}

test('parts start in order and stop in reverse', async () => {
  const { trace, part } = recorder();
  const controller = new AbortController();
  const running = supervise(
    [
      part('a'),
      part('b'),
      async () => {
        controller.abort();
        return { async [Symbol.asyncDispose]() {} };
      },
    ],
    controller.signal,
  );
  await running;
  expect(trace).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('a part that does not start stops those before it, and its fault comes out', async () => {
  const { trace, part } = recorder();
  const broken: Part = () => Promise.reject(new Error('no socket'));
  const running = supervise(
    [part('a'), part('b'), broken, part('c')],
    new AbortController().signal,
  );
  await expect(running).rejects.toThrow('no socket');
  expect(trace).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('nothing starts once the signal has been given', async () => {
  const { trace, part } = recorder();
  await supervise([part('a')], AbortSignal.abort());
  expect(trace).toEqual([]);
});
