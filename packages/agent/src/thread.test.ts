import { expect, test } from 'vitest';
import { startThread, type ThreadOptions } from './thread.ts';

/** A worker that speaks the protocol of `thread-rpc.ts` by hand: it needs no module resolution. */
function moduleThat(onCall: string): URL {
  const code = `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, method }) => {
      ${onCall}
      parentPort.postMessage({ type: 'result', id, value: method });
    });`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

function options(module: URL): ThreadOptions & { ended: Promise<Error> } {
  const { promise, resolve } = Promise.withResolvers<Error>();
  return {
    name: 'worker',
    module,
    data: {},
    ports: [],
    local: {},
    heapMebibytes: 32,
    onExit: resolve,
    ended: promise,
  };
}

type Echo = { echo: () => string; fall: () => void };

test('a thread answers, and ends when it is disposed of', async () => {
  const given = options(moduleThat(''));
  {
    await using thread = await startThread<Echo>(given);
    expect(await thread.remote.echo()).toBe('echo');
  }
  expect(await Promise.race([given.ended, 'quiet'])).toBe('quiet');
});

test('a thread that ends by itself is reported with its reason, and disposing of it does not hang', async () => {
  const given = options(moduleThat("if (method === 'fall') throw new RangeError('a bug');"));
  {
    await using thread = await startThread<Echo>(given);
    await expect(thread.remote.fall()).rejects.toThrow('the thread has gone');
    expect(await given.ended).toMatchObject({
      name: 'ThreadExitError',
      cause: { name: 'RangeError', message: 'a bug' },
    });
  }
});

test('a thread that does not come up is told with its reason', async () => {
  const given = options(moduleThat("throw new RangeError('no disk');"));
  await expect(startThread(given)).rejects.toMatchObject({ cause: { message: 'no disk' } });
});
