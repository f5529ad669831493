import type { Family } from '@overland/net';
import { MAX_MESSAGE_OCTETS } from '../wire/header.ts';
import { NlriList } from '../wire/nlri.ts';
import { UpdateDecoder } from '../wire/update.ts';
import { AttributeTable, MAX_ATTRIBUTE_OCTETS } from './attribute-table.ts';
import { PrefixTable } from './prefix-table.ts';
import { Treatments } from './treatments.ts';

const SCRATCH_OCTETS = 16_384;

/**
 * What speakers of one thread may share: tables that say nothing about who has a route, and working memory.
 * Ten thousand speakers of a simulation that share them hold each prefix and each attribute set once.
 */
export interface SharedTables {
  readonly prefixes: Readonly<Record<Family, PrefixTable>>;
  readonly attributes: AttributeTable;
  readonly treatments: Treatments;
  readonly decoder: UpdateDecoder;
  /** To encode attributes into. */
  readonly scratch: Uint8Array;
  /** For attribute sets that a policy changes. */
  readonly edited: Uint8Array;
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
  return {
    prefixes: { ipv4: new PrefixTable('ipv4'), ipv6: new PrefixTable('ipv6') },
    attributes: new AttributeTable(),
    treatments: new Treatments(),
    decoder: new UpdateDecoder(),
    scratch: new Uint8Array(SCRATCH_OCTETS),
    edited: new Uint8Array(MAX_ATTRIBUTE_OCTETS),
    nlri: new NlriList(MAX_MESSAGE_OCTETS),
    prefixIds: new Int32Array(MAX_MESSAGE_OCTETS),
    prefixPart: new Int32Array(MAX_MESSAGE_OCTETS),
    partPathIds: new Int32Array(MAX_MESSAGE_OCTETS),
    prefixTreatments: new Int32Array(MAX_MESSAGE_OCTETS),
  };
}
