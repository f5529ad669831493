import type { Family } from '@overland/net';
import { type AsPathField, originAs } from '../wire/as-path.ts';
import { emptyVrpTables, type OriginState, type VrpTables } from './vrp-table.ts';

/** What filters ask about the origins of routes. The tables change; who remembers answers is told so. */
export class OriginValidation {
  tables: VrpTables = emptyVrpTables();
  /** Origin of what has an empty AS_PATH. RFC 6811 section 2. */
  ownAsn = 0;

  /** What the origin of a route is; `null` while there are no VRPs at all. @param words Of the prefix, from 0 on. */
  stateOf(
    family: Family,
    asPath: AsPathField,
    words: Int32Array,
    lengthBits: number,
  ): OriginState | null {
    const { ipv4, ipv6 } = this.tables;
    if (ipv4.size + ipv6.size === 0) return null;
    return this.tables[family].state(words, 0, lengthBits, originAs(asPath, this.ownAsn));
  }
}
