import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { expect, test, vi } from 'vitest';
import { Channel } from './channel.ts';
import { WATCH } from './methods.ts';

const BEAT = { silenceMs: 100, deadlineMs: 1000 };

/** One method that takes and gives octets as they are. */
function method(path: string, isStream: boolean) {
  const asIs = (octets: Buffer): Buffer => octets;
  const codec = { requestSerialize: asIs, requestDeserialize: asIs };
  const answers = { responseSerialize: asIs, responseDeserialize: asIs };
  return { path, requestStream: isStream, responseStream: isStream, ...codec, ...answers };
}

/** A server of watches, and of health checks if `check` is given; counts the latter. */
async function serve(check?: (answer: () => void) => void) {
  const server = new Server();
  const streams: ServerDuplexStream<Buffer, Buffer>[] = [];
  let checks = 0;
  const definition: Record<string, ReturnType<typeof method>> = { Watch: method(WATCH.path, true) };
  const implementation: UntypedServiceImplementation = {
    Watch: (stream: ServerDuplexStream<Buffer, Buffer>) => void streams.push(stream),
  };
  if (check) {
    definition.Check = method('/grpc.health.v1.Health/Check', false);
    implementation.Check = (_call: unknown, done: (error: null, answer: Buffer) => void) => {
      checks++;
      check(() => done(null, Buffer.alloc(0)));
    };
  }
  server.addService(definition as unknown as ServiceDefinition, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    streams,
    checks: () => checks,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}

/** A channel to it with one watch, and what becomes of them. */
function watchOn(port: number) {
  const events: string[] = [];
  const onDead = () => void events.push('dead');
  const channel = new Channel(`127.0.0.1:${port}`, credentials.createInsecure(), onDead, BEAT);
  const stream = channel.stream(WATCH, new Metadata());
  stream.on('error', () => events.push('cut off'));
  stream.resume();
  return { events, [Symbol.dispose]: () => channel.close() };
}

test('a server that answers, and one that knows no health checks, are alive', async () => {
  using answering = await serve((answer) => answer());
  using watch = watchOn(answering.port);
  await vi.waitFor(() => expect(answering.checks()).toBeGreaterThan(3), 5000);
  expect(watch.events).toEqual([]);

  using ignorant = await serve();
  using other = watchOn(ignorant.port);
  await vi.waitFor(() => expect(ignorant.streams).toHaveLength(1), 5000);
  // As many beats of the first server are the clock of this.
  const before = answering.checks();
  await vi.waitFor(() => expect(answering.checks()).toBeGreaterThan(before + 5), 5000);
  expect(other.events).toEqual([]);
});

test('of one that is silent the streams are cut off', async () => {
  using silent = await serve(() => undefined);
  using watch = watchOn(silent.port);
  await vi.waitFor(() => expect(watch.events).toEqual(['dead', 'cut off']), 5000);
  expect(silent.checks()).toBe(1);
});

test('what it sends meanwhile is a sign of life: it is not asked, or may be late with the answer', async () => {
  using busy = await serve(() => undefined);
  using watch = watchOn(busy.port);
  await vi.waitFor(() => expect(busy.streams).toHaveLength(1), 5000);
  using clock = await serve((answer) => answer());
  using _other = watchOn(clock.port);
  const feeding = setInterval(() => busy.streams[0]?.write(Buffer.alloc(0)), 20);
  await vi.waitFor(() => expect(clock.checks()).toBeGreaterThan(6), 5000);
  clearInterval(feeding);
  expect(watch.events).toEqual([]);
  await vi.waitFor(() => expect(watch.events).toEqual(['dead', 'cut off']), 5000);
});
