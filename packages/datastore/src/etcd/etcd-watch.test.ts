import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { ChangeQueue } from '../change-queue.ts';
import type { EtcdConnection } from './etcd-connection.ts';
import { EtcdWatch } from './etcd-watch.ts';

const header = { cluster_id: '7', revision: '10', raft_term: '2' };
const RESPONSE = {
  header,
  created: false,
  canceled: false,
  compact_revision: '0',
  cancel_reason: '',
  fragment: false,
  events: [],
};

/** An etcd that answers every watch with the same responses, and counts how often it was listed. */
function stubbornEtcd(responses: readonly object[]) {
  const listed: number[] = [];
  const enough = Promise.withResolvers<void>();
  const connection = {
    async call() {
      listed.push(performance.now());
      if (listed.length === 5) enough.resolve();
      return { header, kvs: [], more: false };
    },
    async stream() {
      const stream = new PassThrough({ objectMode: true });
      for (const response of responses) stream.write({ ...RESPONSE, ...response });
      stream.end();
      return Object.assign(stream, { cancel: () => stream.destroy(), write: () => true });
    },
    forgetToken() {},
  } as unknown as EtcdConnection;
  return { connection, listed, enough: enough.promise };
}

test.each([
  ['is always compacted', [{ created: true }, { canceled: true, compact_revision: '12' }]],
  ['is always of another history', [{ created: true, header: { ...header, revision: '9' } }]],
  ['is always of another cluster', [{ created: true, header: { ...header, cluster_id: '8' } }]],
])(
  'a watch that %s lists again with growing pauses, never in a tight loop',
  async (_, responses) => {
    const { connection, listed, enough } = stubbornEtcd(responses);
    const stop = new AbortController();
    const running = new EtcdWatch(connection, '/a/', new ChangeQueue()).run(stop.signal);
    await enough;
    stop.abort();
    await running;
    const pauses = listed.slice(1).map((at, i) => at - (listed[i] ?? 0));
    // 50, 100, 200 and 400 ms, each times 0.5 to 1.5.
    expect(pauses).toHaveLength(4);
    for (const [i, least] of [25, 50, 100, 200].entries()) {
      expect(pauses[i]).toBeGreaterThan(least - 2);
    }
  },
);
