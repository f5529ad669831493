import { type AsPathField, asPathLength, neighbourAs } from './as-path.ts';
import { AttributeCode, AttributeCursor, type AttributeField, readU32 } from './attribute-set.ts';

/** Well-known communities. RFC 1997, RFC 8326, RFC 9494. */
const GRACEFUL_SHUTDOWN = 0xffff_0000;
const LLGR_STALE = 0xffff_0006;
const NO_LLGR = 0xffff_0007;
const NO_EXPORT = 0xffff_ff01;
const NO_ADVERTISE = 0xffff_ff02;
const NO_EXPORT_SUBCONFED = 0xffff_ff03;

const NO_PATH: AsPathField = { bytes: new Uint8Array(0), from: 0, to: 0, width: 4 };
const CLUSTER_ID_OCTETS = 4;

/** What the decision process and egress need to know of an attribute set. Read again and again into one object. */
export class AttributeSummary {
  origin = 0;
  /** Empty if the set has none. */
  asPath = NO_PATH;
  asPathLength = 0;
  neighbourAs = 0;
  /** `undefined` if the set has none. */
  med: number | undefined;
  localPref: number | undefined;
  noExport = false;
  noAdvertise = false;
  gracefulShutdown = false;
  /** Kept from a session that is long over, here or elsewhere. RFC 9494. */
  longLivedStale = false;
  /** Not to be kept so. */
  noLongLived = false;
  /** ORIGINATOR_ID; `undefined` if the set has none. RFC 4456 section 8. */
  originatorId: number | undefined;
  /** CLUSTER_LIST; empty if the set has none. */
  clusterList: AttributeField = NO_PATH;
  /** The route goes to customers only: it has OTC. RFC 9234 section 5. */
  onlyToCustomer = false;
  readonly #cursor = new AttributeCursor();

  /** Only well-formed sets are interned, so there is nothing to check. */
  read(bytes: Uint8Array, from: number, length: number): void {
    this.origin = 0;
    this.asPath = NO_PATH;
    this.asPathLength = 0;
    this.neighbourAs = 0;
    this.med = undefined;
    this.localPref = undefined;
    this.noExport = false;
    this.noAdvertise = false;
    this.gracefulShutdown = false;
    this.longLivedStale = false;
    this.noLongLived = false;
    this.originatorId = undefined;
    this.clusterList = NO_PATH;
    this.onlyToCustomer = false;
    const cursor = this.#cursor;
    cursor.start(bytes, from, length);
    while (cursor.next()) this.#attribute(cursor);
  }

  /** Clusters that the route was reflected by. */
  get clusterCount(): number {
    return (this.clusterList.to - this.clusterList.from) / CLUSTER_ID_OCTETS;
  }

  /** Whether a cluster has reflected the route. */
  hasCluster(id: number): boolean {
    const { bytes, from, to } = this.clusterList;
    for (let at = from; at < to; at += CLUSTER_ID_OCTETS) {
      if (readU32(bytes, at) === id) return true;
    }
    return false;
  }

  #attribute({ bytes, code, from, to }: AttributeCursor): void {
    switch (code) {
      case AttributeCode.Origin:
        this.origin = bytes[from] ?? 0;
        break;
      case AttributeCode.AsPath:
        this.asPath = { bytes, from, to, width: 4 };
        this.asPathLength = asPathLength(this.asPath);
        this.neighbourAs = neighbourAs(this.asPath);
        break;
      case AttributeCode.Med:
        this.med = readU32(bytes, from);
        break;
      case AttributeCode.LocalPref:
        this.localPref = readU32(bytes, from);
        break;
      case AttributeCode.Communities:
        for (let at = from; at < to; at += 4) this.#community(readU32(bytes, at));
        break;
      case AttributeCode.OriginatorId:
        this.originatorId = readU32(bytes, from);
        break;
      case AttributeCode.ClusterList:
        this.clusterList = { bytes, from, to };
        break;
      case AttributeCode.OnlyToCustomer:
        this.onlyToCustomer = true;
        break;
      default:
        break;
    }
  }

  #community(value: number): void {
    if (value === NO_EXPORT || value === NO_EXPORT_SUBCONFED) this.noExport = true;
    else if (value === NO_ADVERTISE) this.noAdvertise = true;
    else if (value === GRACEFUL_SHUTDOWN) this.gracefulShutdown = true;
    else if (value === LLGR_STALE) this.longLivedStale = true;
    else if (value === NO_LLGR) this.noLongLived = true;
  }
}
