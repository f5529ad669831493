import { createReadStream } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { IpAddress } from '@overland/net';
import type { MrtFeedConfig } from '../core/config.ts';
import { decodeMrt, type MrtMessage } from '../core/mrt/decode-mrt.ts';
import { MrtError } from '../core/mrt/mrt-error.ts';
import { MrtReader } from '../core/mrt/mrt-record.ts';
import { updateOfRib } from '../core/mrt/update-of-rib.ts';
import type { RouteEngine } from '../core/rib/route-engine.ts';
import { HEADER_OCTETS, MessageType } from '../core/wire/header.ts';

/** The MRT file of `originateFrom` cannot be read, or is none. */
export class MrtFeedError extends Error {
  override readonly name = 'MrtFeedError';
}

/** What came of a file. */
export interface MrtFeedOutcome {
  /** Records that became routes, or took some away. */
  readonly taken: number;
  /** Records with routes that RFC 7606 would not have. */
  readonly refused: number;
}

/**
 * Originates the routes of an MRT file: of a table dump one path a prefix, of recorded messages what the UPDATEs say, in their
 * order. Attributes stay, but for the next hop, which is ours.
 *
 * @throws {MrtFeedError} If the file cannot be read; what came before is there.
 */
export async function feedMrt(
  engine: Pick<RouteEngine, 'originateUpdate'>,
  { mrt, peer }: MrtFeedConfig,
): Promise<MrtFeedOutcome> {
  const reader = new MrtReader();
  const chosen = new Choice(peer);
  let [taken, refused] = [0, 0];
  try {
    for await (const chunk of createReadStream(mrt) as AsyncIterable<Uint8Array>) {
      reader.push(chunk);
      for (let record = reader.next(); record; record = reader.next()) {
        const update = chosen.updateOf(decodeMrt(record));
        if (!update) continue;
        if (engine.originateUpdate(update.body, update.fourOctetAs)) taken += 1;
        else refused += 1;
      }
      await nextTurn();
    }
    reader.end();
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof MrtError) throw new MrtFeedError(`${mrt}: ${error.message}`);
    if (syscall === undefined) throw error;
    throw new MrtFeedError(`cannot read ${mrt}: ${code}`);
  }
  return { taken, refused };
}

interface Update {
  readonly body: Uint8Array;
  readonly fourOctetAs: boolean;
}

/** Whose paths are taken: those of one peer of the collector, or the first of each prefix. */
class Choice {
  readonly #peer: IpAddress | undefined;
  /** Places of the peer in the index of a table dump. */
  #places: readonly number[] = [];

  constructor(peer: IpAddress | undefined) {
    this.#peer = peer;
  }

  /** `undefined`: nothing of the record is taken. */
  updateOf(message: MrtMessage): Update | undefined {
    if (message.type === 'peer-index') {
      const { peers } = message;
      this.#places = peers.flatMap(({ address }, at) => (address === this.#peer ? [at] : []));
      return undefined;
    }
    if (message.type === 'rib') {
      const { entries, family, nlri } = message;
      const entry = this.#peer
        ? entries.find(({ peerIndex }) => this.#places.includes(peerIndex))
        : entries[0];
      return entry && { body: updateOfRib(family, nlri, entry.attributes), fourOctetAs: true };
    }
    return message.type === 'message' ? this.#recorded(message) : undefined;
  }

  #recorded(message: Extract<MrtMessage, { type: 'message' }>): Update | undefined {
    const { octets, fourOctetAs, session, isLocal, hasPathIds } = message;
    const isOfPeer = this.#peer === undefined || session.peerAddress === this.#peer;
    const isUpdate = octets[HEADER_OCTETS - 1] === MessageType.Update;
    // Several paths of a prefix cannot be told as one speaker without path identifiers of its own.
    if (!isOfPeer || !isUpdate || isLocal || hasPathIds) return undefined;
    return { body: octets.subarray(HEADER_OCTETS), fourOctetAs };
  }
}
