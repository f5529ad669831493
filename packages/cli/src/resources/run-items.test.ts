import { expect, test } from 'vitest';
import { type Done, runItems } from './run-items.ts';
import type { WorkItem } from './work-items.ts';

function item(kind: string, name: string, place = ''): WorkItem {
  const content = { type: 'named' } as const;
  return { place, kind, name: { name }, subject: `${kind}(${name})`, content };
}

/** Runs the items and writes down when each begins `<` and ends `>`. */
async function trace(items: readonly WorkItem[], inFlight = 8): Promise<string> {
  const events: string[] = [];
  await runItems(
    items,
    async ({ name }) => {
      events.push(`<${name?.name}`);
      await Promise.resolve();
      events.push(`${name?.name}>`);
      return { outcome: 'created' };
    },
    { signal: new AbortController().signal, onResult: () => undefined, inFlight },
  );
  return events.join(' ');
}

test('several at a time, within the bound', async () => {
  const items = ['a', 'b', 'c'].map((name) => item('BGPPeer', name));
  expect(await trace(items, 2)).toBe('<a <b a> b> <c c>');
});

test('tiers and pools one after the other, before what comes behind them', async () => {
  const items = [
    item('Tier', 't'),
    item('IPPool', 'p'),
    item('NetworkPolicy', 'n'),
    item('Node', 'o'),
    item('Tier', 'u'),
  ];
  expect(await trace(items)).toBe('<t t> <p p> <n <o n> o> <u u>');
});

test('an object that stands twice is dealt with twice, in its order', async () => {
  expect(await trace([item('Node', 'a'), item('Node', 'b'), item('Node', 'a')])).toBe(
    '<a <b a> b> <a a>',
  );
});

test('goes on after a failure; results stand in the order of the items', async () => {
  const items = [item('Node', 'slow'), item('Node', 'bad'), item('Node', 'good')];
  const results = await runItems(
    items,
    async ({ name }): Promise<Done> => {
      if (name?.name === 'bad') throw new Error('no');
      return { outcome: 'created' };
    },
    { signal: new AbortController().signal, onResult: () => undefined },
  );
  expect(results.map(({ item: { subject }, outcome }) => `${subject} ${outcome}`)).toEqual([
    'Node(slow) created',
    'Node(bad) failed',
    'Node(good) created',
  ]);
});

test('nothing further is tried once the datastore cannot be reached, or the user has had enough', async () => {
  const items = ['a', 'b', 'c'].map((name) => item('Node', name));
  const tried: string[] = [];
  const outage = async ({ name }: WorkItem): Promise<Done> => {
    tried.push(name?.name ?? '');
    throw Object.assign(new Error('gone'), { name: 'UnavailableError' });
  };
  const run = { onResult: () => undefined, inFlight: 1 };
  const signal = new AbortController().signal;
  const results = await runItems(items, outage, { ...run, signal });
  expect(tried).toEqual(['a']);
  expect(
    results.map((result) => (result.outcome === 'failed' ? String(result.error) : '')),
  ).toEqual([
    'UnavailableError: gone',
    'UnavailableError: not tried: the datastore cannot be reached',
    'UnavailableError: not tried: the datastore cannot be reached',
  ]);

  const stop = new AbortController();
  const interrupted = await runItems(
    items,
    async () => {
      stop.abort();
      return { outcome: 'created' };
    },
    { ...run, signal: stop.signal },
  );
  expect(interrupted.map(({ outcome }) => outcome)).toEqual(['created', 'failed', 'failed']);
});
