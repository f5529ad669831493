import {
  type Family,
  type Prefix,
  parseAddress,
  parseAsn,
  parseInterfaceAddress,
  parsePrefix,
  type RouteBatch,
  unpackRoutes,
  type WeightedNextHop,
} from '@overland/net';
import {
  createRouteEngine,
  type EstablishedSession,
  type InterfaceState,
  type PeerConfig,
  type RouteEngine,
  type RouteEngineOptions,
  type RouteView,
  type SpeakerConfig,
} from '../src/core/index.ts';
import type { TraceRecorder } from '../src/core/trace/trace-recorder.ts';

/** A speaker's configuration with what a test does not care about filled in. */
export function speakerConfig(
  asn: number,
  overrides: Partial<Omit<SpeakerConfig, 'originate'>> & { originate?: readonly string[] } = {},
): SpeakerConfig {
  return {
    asn: parseAsn(asn),
    routerId: parseAddress('192.0.2.1'),
    role: 'router',
    listen: [],
    multipath: { maxPaths: 1, relaxAsPath: false },
    gracefulRestart: {
      enabled: true,
      restartSeconds: 120,
      stalePathSeconds: 360,
      deferralSeconds: 60,
    },
    peers: [],
    ...overrides,
    originate: (overrides.originate ?? []).map(parsePrefix),
  };
}

export function peerConfig(
  address: string,
  asn: number,
  overrides: Partial<PeerConfig> = {},
): PeerConfig {
  return {
    name: address,
    address: parseAddress(address),
    port: 179,
    asn: parseAsn(asn),
    families: ['ipv4', 'ipv6'],
    holdSeconds: 90,
    keepaliveSeconds: 30,
    connectRetrySeconds: 120,
    passive: false,
    allowAsIn: 0,
    asOverride: false,
    nextHop: 'auto',
    ttl: 1,
    ...overrides,
  };
}

/** What a session looks like from one end. */
export function sessionWith(
  peer: number,
  config: PeerConfig,
  local: { asn: number; address: string },
  overrides: Partial<EstablishedSession> = {},
): EstablishedSession {
  return {
    peer,
    config,
    localAsn: parseAsn(local.asn),
    localAddress: parseAddress(local.address),
    peerAsn: typeof config.asn === 'number' ? config.asn : parseAsn(65_001),
    peerRouterId: parseAddress('192.0.2.2'),
    families: config.families,
    fourOctetAs: true,
    maxMessageOctets: 4096,
    ...overrides,
  };
}

export function link(name: string, addresses: readonly string[], usable = true): InterfaceState {
  return { name, usable, addresses: addresses.map(parseInterfaceAddress) };
}

/** The kernel at the end of a stream of route batches. */
export class FakeKernel {
  readonly routes = new Map<Prefix, string>();
  readonly ended: Family[] = [];
  records = 0;
  readonly #sets = new Map<number, readonly WeightedNextHop[]>();
  #sequence = 0;

  apply(batch: RouteBatch): void {
    if (batch.sequence !== this.#sequence + 1) throw new Error('a batch is missing');
    this.#sequence = batch.sequence;
    for (const { id, nextHops } of batch.nextHopSets) {
      if (this.#sets.has(id)) throw new Error(`next-hop set ${id} was defined twice`);
      this.#sets.set(id, nextHops);
    }
    for (const { prefix, nextHopSet } of unpackRoutes(batch)) {
      this.records += 1;
      if (nextHopSet === 0) {
        if (!this.routes.delete(prefix)) throw new Error(`${prefix} was withdrawn for nothing`);
        continue;
      }
      const nextHops = this.#sets.get(nextHopSet);
      if (!nextHops) throw new Error(`next-hop set ${nextHopSet} was never defined`);
      const text = nextHops
        .map(({ address, device, weight }) => `${address}@${device}${weight ? `*${weight}` : ''}`)
        .sort();
      if (this.routes.get(prefix) === text.join(' ')) throw new Error(`${prefix} was told twice`);
      this.routes.set(prefix, text.join(' '));
    }
    if (batch.endOfRib) this.ended.push(batch.family);
  }
}

/** A route engine with a kernel, and wires to others: UPDATEs travel as octets, in one process. */
export class Speaker {
  readonly engine: RouteEngine;
  readonly kernel = new FakeKernel();
  readonly #wires = new Map<number, Wire>();
  #target: Uint8Array | undefined;

  constructor(config: SpeakerConfig, options?: RouteEngineOptions, recorder?: TraceRecorder) {
    this.engine = recorder?.engine(config, options) ?? createRouteEngine(config, options);
  }

  plug(peer: number, wire: Wire): void {
    this.#wires.set(peer, wire);
  }

  unplug(peer: number): void {
    this.#wires.delete(peer);
  }

  /** Does everything that can be done. @returns Whether there was anything. */
  run(units = 64): boolean {
    let worked = false;
    while (this.engine.step(units)) worked = true;
    for (const [peer, wire] of this.#wires) {
      for (let message = this.message(peer); message; message = this.message(peer)) {
        worked = true;
        wire(message);
      }
    }
    for (;;) {
      const batch = this.engine.nextRouteBatch(50);
      if (!batch) return worked;
      worked = true;
      this.kernel.apply(batch);
    }
  }

  /** The next message for a peer, whole. */
  message(peer: number): Uint8Array | undefined {
    this.#target ??= new Uint8Array(65_535 + 16);
    const octets = this.engine.nextUpdate(peer, this.#target, 16);
    return octets === 0 ? undefined : this.#target.slice(16, 16 + octets);
  }

  /** The whole Loc-RIB of a family. */
  routes(family: Family, limit = 7): RouteView[] {
    const routes: RouteView[] = [];
    let page = this.engine.routes({ family, limit });
    routes.push(...page.routes);
    while (page.next) {
      page = this.engine.routes({ family, limit, after: page.next });
      routes.push(...page.routes);
    }
    return routes;
  }

  /** `prefix via next hop path …` of the best paths. */
  best(family: Family): string[] {
    return this.routes(family).flatMap(({ prefix, paths }) =>
      paths
        .filter(({ best }) => best)
        .map(({ nextHop, asPath }) => [prefix, nextHop ?? 'own', ...asPath].join(' ')),
    );
  }
}

type Wire = (message: Uint8Array) => void;

export interface End {
  readonly speaker: Speaker;
  readonly asn: number;
  readonly address: string;
  /** How the speaker knows the other end. */
  readonly peer: number;
  readonly config?: Partial<PeerConfig>;
  readonly routerId?: string;
}

const HEADER_OCTETS = 19;

/** Brings a session up between two speakers. */
export function connect(a: End, b: End, overrides: Partial<EstablishedSession> = {}): void {
  for (const [near, far] of [
    [a, b],
    [b, a],
  ] as const) {
    const config = peerConfig(far.address, far.asn, near.config);
    near.speaker.engine.peerUp(
      sessionWith(near.peer, config, near, {
        peerRouterId: parseAddress(far.routerId ?? '192.0.2.9'),
        ...overrides,
      }),
    );
    near.speaker.plug(near.peer, (message) => {
      const fault = far.speaker.engine.receiveUpdate(far.peer, message.subarray(HEADER_OCTETS));
      if (fault) throw new Error(`NOTIFICATION ${fault.code}/${fault.subcode}: ${fault.reason}`);
    });
  }
}

/** Takes the session down at both ends. */
export function disconnect(a: End, b: End, retain: readonly Family[] = []): void {
  for (const { speaker, peer } of [a, b]) {
    speaker.unplug(peer);
    speaker.engine.peerDown(peer, retain);
  }
}

/** Lets speakers talk until none has anything to say. */
export function settle(...speakers: readonly Speaker[]): void {
  for (let round = 0; round < 1000; round += 1) {
    if (!speakers.map((speaker) => speaker.run()).includes(true)) return;
  }
  throw new Error('the speakers do not come to rest');
}
