import type { IpAddress } from '@overland/net';
import type { Logger } from 'pino';
import type { PeerConfig, SpeakerConfig } from '../../core/config.ts';
import type { InterfaceState } from '../../core/rib/route-engine.ts';
import type { BfdChange } from '../../core/session/bfd-gate.ts';
import { peerLink } from '../../core/session/peer-link.ts';
import { BfdClient } from './bfd-client.ts';
import { type BfdPath, bfdPathText } from './bfd-path.ts';
import { type BfdPeer, type BfdPeerKey, type BfdReport, bfdPeerKey } from './bfd-peer.ts';
import { sessionFor } from './session-for.ts';
import { bfdStarter } from './start-process.ts';

export interface BfdWatchOptions {
  readonly log: Logger;
  /** Of the BFD process. */
  readonly socket: string;
  /** Our name there, the same after a restart. */
  readonly name: string;
  /** How this program was started, to start the process if nobody answers on the socket. */
  readonly command: readonly string[];
  /** Told of what becomes of a path; `undefined`: BFD does not watch it any more. */
  readonly changed: (path: BfdPath, change: BfdChange | undefined) => void;
}

/** Has the BFD process watch the paths to the peers and next hops that have `bfd`, and passes on what it says of them. */
export class BfdWatch implements Disposable {
  readonly #client: BfdClient;
  readonly #changed: BfdWatchOptions['changed'];
  readonly #sessions = new Map<BfdPeerKey, BfdPath>();
  /** Whether a peer is on a link of ours. Once it is that holds: IPv6 addresses go away with the carrier. */
  readonly #onLink = new Map<IpAddress, string>();

  constructor({ changed, command, ...options }: BfdWatchOptions) {
    this.#changed = changed;
    this.#client = new BfdClient({
      ...options,
      start: bfdStarter(command, options.socket),
      onReport: (report) => this.#report(report),
    });
  }

  /** The configuration or the interfaces are other ones. */
  update(config: SpeakerConfig, interfaces: readonly InterfaceState[]): void {
    const wanted = [
      ...config.peers.flatMap((peer) => this.#sessionOf(peer, interfaces) ?? []),
      ...staticSessions(config.static),
    ];
    const before = new Map(this.#sessions);
    this.#sessions.clear();
    for (const session of wanted) this.#sessions.set(bfdPeerKey(session), pathOf(session));
    const watched = new Set(Array.from(this.#sessions.values(), bfdPathText));
    for (const path of before.values()) {
      if (!watched.has(bfdPathText(path))) this.#changed(path, undefined);
    }
    this.#client.declare(wanted);
  }

  /** Leaves without a word: BFD goes on while we restart. */
  [Symbol.dispose](): void {
    this.#client[Symbol.dispose]();
  }

  #report({ key, verdict, controlPlaneIndependent }: BfdReport): void {
    const path = this.#sessions.get(key);
    if (path === undefined || verdict === 'unproven') return;
    this.#changed(path, { state: verdict, controlPlaneIndependent });
  }

  #sessionOf(config: PeerConfig, interfaces: readonly InterfaceState[]): BfdPeer | undefined {
    const { address } = config;
    const device = peerLink(interfaces, config, undefined)?.device ?? this.#onLink.get(address);
    if (device !== undefined) this.#onLink.set(address, device);
    return sessionFor(config, device);
  }
}

/** Next hops are on a link of ours. */
function staticSessions(routes: SpeakerConfig['static'] = []): BfdPeer[] {
  return routes.flatMap(({ nextHops }) =>
    nextHops.flatMap(({ address, interface: device, bfd }) =>
      bfd ? (sessionFor({ address, bfd, ttl: 1 }, device) ?? []) : [],
    ),
  );
}

function pathOf({ peer, device }: BfdPeer): BfdPath {
  return { address: peer, ...(device !== undefined && { device }) };
}
