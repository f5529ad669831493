import type { Family } from '@overland/net';
import type { Logger } from 'pino';
import type { MrtUpdatesConfig, PeerConfig } from '../core/config.ts';
import { encodeReceivedUpdate, encodeStateChange } from '../core/mrt/bgp4mp-writer.ts';
import type { MrtSession } from '../core/mrt/decode-mrt.ts';
import type { PeerId } from '../core/rib/route-engine.ts';
import type { UpSession } from '../core/session/peer-events.ts';
import { RotatingFile } from './rotating-file.ts';

/** RFC 4271 section 8.2.2, as MRT counts. */
const IDLE = 1;
const ESTABLISHED = 6;

interface RecordedSession {
  readonly session: MrtSession;
  readonly fourOctetAs: boolean;
  /** Families with path identifiers. */
  readonly identified: readonly Family[];
}

interface RecordedPeer {
  readonly id: PeerId;
  readonly config: PeerConfig;
}

/** UPDATEs as they come, and sessions as they come and go, in MRT files (RFC 6396). Off until configured. */
export class MrtUpdates implements Disposable {
  readonly #log: Logger;
  readonly #sessions = new Map<PeerId, RecordedSession>();
  #file: RotatingFile | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  get isOn(): boolean {
    return this.#file !== undefined;
  }

  /** Takes over where to, or that there is no such file any more. */
  configure(config: MrtUpdatesConfig | undefined): void {
    if (JSON.stringify(config) === JSON.stringify(this.#file?.options)) return;
    this.#file?.[Symbol.dispose]();
    this.#file = config && new RotatingFile(config, this.#log);
  }

  sessionUp({ id, config }: RecordedPeer, up: UpSession): void {
    const session: MrtSession = {
      peerAsn: up.peerAsn,
      localAsn: up.localAsn,
      interfaceIndex: 0,
      peerAddress: config.address,
      localAddress: up.localAddress,
    };
    const identified = up.addPath?.receive ?? [];
    this.#sessions.set(id, { session, fourOctetAs: up.fourOctetAs, identified });
    this.#file?.write(encodeStateChange(now(), session, { from: IDLE, to: ESTABLISHED }));
  }

  sessionDown({ id }: Pick<RecordedPeer, 'id'>): void {
    const recorded = this.#sessions.get(id);
    this.#sessions.delete(id);
    if (!recorded) return;
    const change = { from: ESTABLISHED, to: IDLE };
    this.#file?.write(encodeStateChange(now(), recorded.session, change));
  }

  /** @param body Without its header; copied. */
  received(id: PeerId, body: Uint8Array): void {
    const recorded = this.#sessions.get(id);
    if (!recorded) return;
    const { session, fourOctetAs, identified } = recorded;
    const format = { fourOctetAs, hasPathIds: identified.includes(familyOfUpdate(body)) };
    this.#file?.write(encodeReceivedUpdate(now(), session, format, body));
  }

  [Symbol.dispose](): void {
    this.configure(undefined);
  }
}

/** What is in neither of the fields of its own is in attributes: IPv6. Nobody mixes families in a message. RFC 7606 section 5.1. */
function familyOfUpdate(body: Uint8Array): Family {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (body.length < 4) return 'ipv4';
  const withdrawn = view.getUint16(0);
  if (withdrawn > 0 || body.length < 4 + withdrawn) return 'ipv4';
  return 4 + view.getUint16(2) < body.length ? 'ipv4' : 'ipv6';
}

/** UNIX time, milliseconds. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
