import type { AsPathField } from '../wire/as-path.ts';
import {
  AttributeCode,
  AttributeCursor,
  type AttributeField,
  readU32,
} from '../wire/attribute-set.ts';

const NO_OCTETS = new Uint8Array(0);
const NO_FIELD: AttributeField = { bytes: NO_OCTETS, from: 0, to: 0 };

/** LOCAL_PREF of a route that has none. */
const DEFAULT_LOCAL_PREF = 100;

/** What conditions ask of an attribute set, read once for all rules. */
export class RouteReader {
  asPath: AsPathField = { ...NO_FIELD, width: 4 };
  /** Four octets each. */
  communities = NO_FIELD;
  /** Twelve octets each. */
  largeCommunities = NO_FIELD;
  localPref = DEFAULT_LOCAL_PREF;
  med = 0;
  readonly #cursor = new AttributeCursor();

  read(bytes: Uint8Array, offset: number, length: number): void {
    this.asPath = { ...NO_FIELD, width: 4 };
    this.communities = NO_FIELD;
    this.largeCommunities = NO_FIELD;
    this.localPref = DEFAULT_LOCAL_PREF;
    this.med = 0;
    const cursor = this.#cursor;
    cursor.start(bytes, offset, length);
    while (cursor.next()) this.#attribute(cursor);
  }

  #attribute({ bytes, code, from, to }: AttributeCursor): void {
    switch (code) {
      case AttributeCode.AsPath:
        this.asPath = { bytes, from, to, width: 4 };
        break;
      case AttributeCode.Med:
        this.med = readU32(bytes, from);
        break;
      case AttributeCode.LocalPref:
        this.localPref = readU32(bytes, from);
        break;
      case AttributeCode.Communities:
        this.communities = { bytes, from, to };
        break;
      case AttributeCode.LargeCommunities:
        this.largeCommunities = { bytes, from, to };
        break;
      default:
        break;
    }
  }
}
