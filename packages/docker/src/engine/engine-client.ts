import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { z } from 'zod';

const TIMEOUT_MS = 5000;
const ANSWER_LIMIT_OCTETS = 16 * 1024 * 1024;

/** A network, as Docker sees it. */
export interface EngineNetwork {
  readonly name: string;
  /** Ids of containers by endpoint. */
  readonly containers: ReadonlyMap<string, string>;
}

export interface EngineContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const networkSchema = z.object({
  Name: z.string(),
  Containers: z.record(z.string(), z.object({ EndpointID: z.string() })).nullish(),
});

const containersSchema = z.array(
  z.object({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
  }),
);

/**
 * The few questions that a driver has to Docker's API. None of them waits for a container that is about to start:
 * inspecting one would, and would never end while Docker waits for us.
 */
export class EngineClient {
  readonly #socketPath: string;

  /** @param socketPath Of the API: `/run/docker.sock`. */
  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** @returns `undefined`: there is none. */
  async network(id: string): Promise<EngineNetwork | undefined> {
    const found = await this.#get(`/networks/${encodeURIComponent(id)}`);
    if (found === undefined) return undefined;
    const { Name: name, Containers } = networkSchema.parse(found);
    const entries = Object.entries(Containers ?? {});
    return {
      name,
      containers: new Map(entries.map(([container, { EndpointID }]) => [EndpointID, container])),
    };
  }

  /** Running or not; those that are gone are left out. */
  async containers(ids: readonly string[]): Promise<EngineContainer[]> {
    const filters = encodeURIComponent(JSON.stringify({ id: ids }));
    const found = containersSchema.parse(
      await this.#get(`/containers/json?all=1&filters=${filters}`),
    );
    return found.map(({ Id: id, Names, Labels }) => ({
      id,
      name: (Names?.[0] ?? '').replace(/^\//, ''),
      labels: Labels ?? {},
    }));
  }

  /**
   * Yields once when Docker answers, and then whenever a container has joined a network.
   *
   * @throws If Docker does not answer, or no longer.
   */
  async *connections(signal: AbortSignal): AsyncGenerator<void> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['network'], event: ['connect'] }));
    const response = await this.#ask(`/events?filters=${filters}`, signal);
    if (response.statusCode !== 200) throw new Error(`Docker answers ${response.statusCode}`);
    yield;
    // What an event says is asked for anyway, so its text does not count.
    for await (const _ of response) yield;
  }

  async #get(path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await this.#ask(path, signal);
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > ANSWER_LIMIT_OCTETS) throw new Error(`Docker's answer to ${path} is over 16 MiB`);
      chunks.push(chunk);
    }
    if (response.statusCode === 404) return undefined;
    if (response.statusCode !== 200) {
      throw new Error(`Docker answers ${response.statusCode} to ${path}`);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  }

  async #ask(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const asking = request({
      socketPath: this.#socketPath,
      path,
      headers: { host: 'docker' },
      signal,
    });
    asking.end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    // After the answer has begun, errors are those of its body.
    asking.on('error', () => undefined);
    return response;
  }
}
