import type { Family } from '@overland/net';
import { MAX_EXTENDED_OCTETS, MAX_MESSAGE_OCTETS } from '../wire/header.ts';
import { NlriList } from '../wire/nlri.ts';
import { UpdateDecoder } from '../wire/update.ts';
import { AttributeTable, MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import { PrefixTable } from './prefix-table.ts';
import { Treatments } from './treatments.ts';

/** Any attribute set, grown on its way out: see the room of an egress class. */
const SCRATCH_OCTETS = MAX_ATTRIBUTE_OCTETS;

/**
 * What speakers of one thread may share: tables that say nothing about who has a route, and working memory.
 * Ten thousand speakers of a simulation that share them hold each prefix and each attribute set once.
 */
export interface SharedTables extends ReceiveMemory {
  readonly prefixes: Readonly<Record<Family, PrefixTable>>;
  readonly attributes: AttributeTable;
  readonly treatments: Treatments;
  /** To encode attributes into. */
  readonly scratch: Uint8Array;
  /** For attribute sets that a policy changes. */
  readonly edited: Uint8Array;
  /** For messages of up to 65,535 octets (RFC 8654): made when the first session has them, 2.7 MB. */
  forExtended(): ReceiveMemory;
}

/** What one UPDATE is read into. */
export interface ReceiveMemory {
  readonly decoder: UpdateDecoder;
  /** The prefixes of a message, and their ids. */
  readonly nlri: NlriList;
  readonly prefixIds: Int32Array;
  readonly prefixPart: Int32Array;
  /** Path identifiers of the part. */
  readonly partPathIds: Int32Array;
  /** By prefix of a message, what the import policy makes of it. */
  readonly prefixTreatments: Int32Array;
}

export function createSharedTables(): SharedTables {
  let extended: ReceiveMemory | undefined;
  return {
    ...receiveMemory(MAX_MESSAGE_OCTETS),
    prefixes: { ipv4: new PrefixTable('ipv4'), ipv6: new PrefixTable('ipv6') },
    attributes: new AttributeTable(),
    treatments: new Treatments(),
    scratch: new Uint8Array(SCRATCH_OCTETS),
    edited: new Uint8Array(MAX_ATTRIBUTE_OCTETS),
    forExtended() {
      extended ??= receiveMemory(MAX_EXTENDED_OCTETS);
      return extended;
    },
  };
}

function receiveMemory(octets: number): ReceiveMemory {
  return {
    decoder: new UpdateDecoder(octets),
    nlri: new NlriList(octets),
    prefixIds: new Int32Array(octets),
    prefixPart: new Int32Array(octets),
    partPathIds: new Int32Array(octets),
    prefixTreatments: new Int32Array(octets),
  };
}
