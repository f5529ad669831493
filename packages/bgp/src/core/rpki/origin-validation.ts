import { emptyVrpTables, type VrpTables } from './vrp-table.ts';

/** What filters ask about the origins of routes. The tables change; who remembers answers is told so. */
export class OriginValidation {
  tables: VrpTables = emptyVrpTables();
  /** Origin of what has an empty AS_PATH. RFC 6811 section 2. */
  ownAsn = 0;
}
