import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { netns } from '../testing/netns.ts';

/** The dataplane is a worker. Opens, watches, fails and closes, and reports what it saw. */
const program = (path: string, index: string): string => `
  import { parentPort } from 'node:worker_threads';
  const { openKernel } = await import(${JSON.stringify(index)});
  const warnings = [];
  process.on('warning', (warning) => warnings.push(warning.message));
  let refused = 0;
  {
    await using kernel = openKernel({ namespace: ${JSON.stringify(path)} });
    const events = kernel.monitor.events(new AbortController().signal);
    for (let i = 0; i < 1000; i++) {
      await kernel.links.set('absent', { up: true }).catch(({ code }) => (refused += code === 'ENODEV' ? 1 : 0));
    }
    await kernel.links.set('lo', { mtu: 9000 });
    for await (const event of events) if (event.type === 'link') break;
    await kernel.routes.list('ipv4');
  }
  await new Promise(setImmediate);
  parentPort.postMessage({ refused, warnings });
`;

test('two workers at once, each with its own errno, and no warning about descriptors', async () => {
  await using ns = await netns();
  await using other = await netns();
  const index = new URL('../index.ts', import.meta.url).href;
  const run = async (path: string): Promise<unknown> => {
    const source = `data:text/javascript,${encodeURIComponent(program(path, index))}`;
    const worker = new Worker(new URL(source), { execArgv: ['--conditions=@overland/source'] });
    const [answer] = await once(worker, 'message');
    await worker.terminate();
    return answer;
  };
  const expected = { refused: 1000, warnings: [] };
  expect(await Promise.all([run(ns.path), run(other.path)])).toEqual([expected, expected]);
});
