import type { SpeakerConfig } from '@overland/bgp';
import { speakerConfigOf } from '@overland/fabric';
import { type LocalState, localStateOf } from '@overland/felix';
import { lentAddresses } from '@overland/ipam';
import type { Logger } from 'pino';
import type { Config } from './settings.ts';
import { StoredResourceReader, type StoredResources } from './stored-resources.ts';

/** A resource that has no effect, or not all of it, and why. */
export interface Problem {
  readonly resource: string;
  readonly reason: string;
}

/** The receivers of what is computed. */
export interface PublisherPorts {
  readonly setLocalState: (state: LocalState) => Promise<void>;
  readonly configure: (config: SpeakerConfig) => Promise<void>;
  /** Interfaces whose workload has left, though its endpoint is still stored. */
  readonly gone: () => ReadonlySet<string>;
}

/** How long to wait before a speaker that could not take its configuration is given it again. */
const RETRY_MS = 5000;

/**
 * Computes what this host's kernel and speaker should do from the stored entries as they are now, and sends what
 * differs from what was sent last.
 */
export class NodePublisher {
  readonly #host: Pick<Config, 'nodeName' | 'secretsDirectory'>;
  readonly #ports: PublisherPorts;
  readonly #log: Logger;
  readonly #reader = new StoredResourceReader();
  #resources: StoredResources = this.#reader.read(new Map());
  #problems: readonly Problem[] = [];
  #sentLocal = '';
  #sentConfig = '';
  #retry: NodeJS.Timeout | undefined;

  constructor(
    host: Pick<Config, 'nodeName' | 'secretsDirectory'>,
    ports: PublisherPorts,
    log: Logger,
  ) {
    this.#host = host;
    this.#ports = ports;
    this.#log = log;
  }

  /** What was published last. */
  get resources(): StoredResources {
    return this.#resources;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /**
   * @param entries Stored entries by key.
   * @param synced Whether they are all there are: nothing is deleted otherwise.
   * @returns Resolves when the dataplane and the speaker have taken it over.
   */
  async publish(entries: ReadonlyMap<string, string>, synced: boolean): Promise<void> {
    const resources = this.#reader.read(entries);
    this.#resources = resources;
    const { nodeName, secretsDirectory } = this.#host;
    const nodes = resources.all('Node');
    const endpoints = resources.all('WorkloadEndpoint');
    const blocks = resources.blocks.filter(({ confirmed }) => confirmed).map(({ cidr }) => cidr);
    const node = nodes.find(({ metadata }) => metadata.name === nodeName);
    const gone = this.#ports.gone();
    const speaker = speakerConfigOf({
      nodeName,
      secretsDirectory,
      nodes,
      blocks,
      endpoints,
      bgpConfigurations: resources.all('BGPConfiguration'),
      bgpPeers: resources.all('BGPPeer'),
      bgpFilters: resources.all('BGPFilter'),
      pools: resources.all('IPPool'),
      lent: resources.allocations.flatMap((block) => lentAddresses(block, nodeName)),
      strictAffinity: resources.ipamConfig.strictAffinity,
    });
    const linkAddresses = speaker.links;
    const local = localStateOf({ nodeName, node, blocks, endpoints, gone, synced, linkAddresses });
    this.#note([
      ...resources.unreadable.map(({ key, message }) => ({ resource: key, reason: message })),
      ...local.problems,
      ...speaker.diagnostics,
    ]);
    // Both before either answers: neither waits for the other.
    await Promise.all([this.#sendLocal(local.state), this.#sendConfig(speaker.config)]);
  }

  /** Stops what would be tried again. */
  stop(): void {
    clearTimeout(this.#retry);
  }

  async #sendLocal(state: LocalState): Promise<void> {
    const text = textOf(state);
    if (text === this.#sentLocal) return;
    this.#sentLocal = text;
    await this.#ports.setLocalState(state);
  }

  async #sendConfig(config: SpeakerConfig | undefined): Promise<void> {
    const text = textOf(config);
    if (!config || text === this.#sentConfig) return;
    this.#sentConfig = text;
    clearTimeout(this.#retry);
    try {
      await this.#ports.configure(config);
    } catch (error) {
      this.#log.error({ err: error }, 'speaker does not take its configuration; will retry');
      this.#retry = setTimeout(() => {
        this.#sentConfig = '';
        void this.#sendConfig(config);
      }, RETRY_MS);
    }
  }

  #note(problems: readonly Problem[]): void {
    const known = new Set(this.#problems.map(textOf));
    for (const problem of problems) {
      if (!known.has(textOf(problem)))
        this.#log.warn(problem, 'resource has no effect or not all of it');
    }
    this.#problems = problems;
  }
}

function textOf(value: unknown): string {
  return (
    JSON.stringify(value, (_key, item: unknown) => (item instanceof Map ? [...item] : item)) ?? ''
  );
}
