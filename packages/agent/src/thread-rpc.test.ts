import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { openChannel, ThreadGoneError } from './thread-rpc.ts';

class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: string;
  constructor(code: string, options?: ErrorOptions) {
    super(`refused: ${code}`, options);
    this.code = code;
  }
}

type Calculator = {
  add: (a: number, b: number) => number;
  refuse: (code: string) => Promise<never>;
  never: () => Promise<void>;
};

function pair() {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const calculator: Calculator = {
    add: (a, b) => a + b,
    refuse: (code) => Promise.reject(new RefusedError(code, { cause: new RangeError('too far') })),
    never: () => new Promise(() => {}),
  };
  openChannel(port1, calculator);
  return { port1, remote: openChannel<Calculator>(port2, {}, { errors: [RefusedError] }) };
}

test('a call is answered with its result, whatever else is under way', async () => {
  const { remote } = pair();
  const never = remote.never();
  never.catch(() => {});
  expect(await Promise.all([remote.add(1, 2), remote.add(3, 4)])).toEqual([3, 7]);
});

test('an error keeps its class, its fields and its cause', async () => {
  const error = await pair()
    .remote.refuse('EBUSY')
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RefusedError);
  expect(error).toMatchObject({ code: 'EBUSY', message: 'refused: EBUSY', name: 'RefusedError' });
  expect((error as Error).cause).toMatchObject({ name: 'RangeError', message: 'too far' });
});

test('a method that is not there is refused, inherited ones included', async () => {
  const { remote } = pair();
  const other = remote as unknown as Record<string, () => Promise<unknown>>;
  await expect(other.toString?.()).rejects.toThrow('no method toString');
});

test('calls fail when the other side goes, and so do later ones', async () => {
  const { port1, remote } = pair();
  const pending = remote.never();
  port1.close();
  await expect(pending).rejects.toBeInstanceOf(ThreadGoneError);
  await expect(remote.add(1, 1)).rejects.toBeInstanceOf(ThreadGoneError);
});

test('buffers move when the caller says so', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  type Sink = { take: (bytes: Uint8Array) => number };
  openChannel(port1, { take: (bytes: Uint8Array) => bytes.length });
  const remote = openChannel<Sink>(
    port2,
    {},
    {
      transfer: (_method, [bytes]) => [(bytes as Uint8Array<ArrayBuffer>).buffer],
    },
  );
  const bytes = new Uint8Array(8);
  expect(await remote.take(bytes)).toBe(8);
  expect(bytes.length).toBe(0);
});
