import type { Family, IpAddress, Prefix } from '@overland/net';
import { type DescribedAttribute, describeAttributes } from '../wire/describe-attributes.ts';
import { type DescribedMessage, describeMessage } from '../wire/describe-message.ts';
import { describeNlri } from '../wire/nlri.ts';
import {
  decodeMrt,
  type MrtMessage,
  type MrtPeer,
  type MrtRibEntry,
  type MrtSession,
} from './decode-mrt.ts';
import type { RawMrtRecord } from './mrt-record.ts';
import { updateAttributes } from './rib-attributes.ts';

const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];
const STATES = ['', 'Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'];
const NO_NLRI = new Uint8Array(0);

/** A record as data for people and scripts: plain JSON. */
export interface DescribedMrtRecord {
  /** UNIX time, seconds. */
  readonly timestamp: number;
  readonly type: MrtMessage['type'];
  /** Numbers of RFC 6396, for records that are not read here. */
  readonly mrtType?: number;
  readonly mrtSubtype?: number;
  readonly collectorId?: IpAddress;
  readonly viewName?: string;
  readonly peers?: readonly MrtPeer[];
  readonly sequence?: number;
  readonly prefix?: Prefix;
  readonly entries?: readonly DescribedRibEntry[];
  readonly microseconds?: number;
  readonly session?: MrtSession;
  readonly isLocal?: boolean;
  readonly message?: DescribedMessage;
  readonly from?: string;
  readonly to?: string;
}

interface DescribedRibEntry extends Pick<MrtRibEntry, 'peerIndex' | 'originatedSeconds'> {
  /** The peer, from the last PEER_INDEX_TABLE; absent: it is not there. */
  readonly peer?: MrtPeer;
  readonly pathId?: number;
  readonly attributes: readonly DescribedAttribute[];
}

/** Describes the records of one file, in their order: entries of a RIB name peers of a record before them. */
export class MrtDescriber {
  #peers: readonly MrtPeer[] = [];

  /** @throws {MrtError} If the record is broken. */
  describe(record: RawMrtRecord): DescribedMrtRecord {
    const { timestamp } = record;
    const message = decodeMrt(record);
    switch (message.type) {
      case 'peer-index':
        this.#peers = message.peers;
        return { timestamp, ...message };
      case 'rib': {
        const { type, sequence, family, nlri } = message;
        const [described] = describeNlri(family, { bytes: nlri, from: 0, to: nlri.length });
        const entries = message.entries.map((entry) => this.#entry(entry, family));
        return { timestamp, type, sequence, ...described, entries };
      }
      case 'message':
        return describeRecordedMessage(timestamp, message);
      case 'state-change': {
        const { type, microseconds, session, from, to } = message;
        const states = { from: STATES[from] ?? `${from}`, to: STATES[to] ?? `${to}` };
        return { timestamp, type, microseconds, session, ...states };
      }
      case 'other':
        return { timestamp, type: 'other', mrtType: record.type, mrtSubtype: record.subtype };
    }
  }

  #entry(entry: MrtRibEntry, family: Family): DescribedRibEntry {
    const { attributes: octets, peerIndex, ...rest } = entry;
    const peer = this.#peers[peerIndex];
    const bytes = updateAttributes(octets, family, NO_NLRI);
    const context = {
      fourOctetAs: true,
      ebgp: true,
      families: FAMILIES,
      extendedNextHop: FAMILIES,
    };
    const attributes = describeAttributes({ bytes, from: 0, to: bytes.length }, context);
    return { peerIndex, ...(peer && { peer }), ...rest, attributes };
  }
}

function describeRecordedMessage(
  timestamp: number,
  message: Extract<MrtMessage, { type: 'message' }>,
): DescribedMrtRecord {
  const { type, microseconds, session, isLocal, octets, fourOctetAs, hasPathIds } = message;
  const context = {
    fourOctetAs,
    ebgp: session.peerAsn !== session.localAsn,
    families: FAMILIES,
    addPath: hasPathIds ? FAMILIES : [],
    // The record does not say what the session had negotiated.
    extendedNextHop: FAMILIES,
    extended: true,
  };
  return {
    timestamp,
    type,
    microseconds,
    session,
    isLocal,
    message: describeMessage(octets, context),
  };
}
