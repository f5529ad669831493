import type { SpeakerSummary } from '@overland/bgp/node';
import type { DataplaneStatus, FailureStatus, ProgrammedEndpoint } from '@overland/felix';
import type { BlockStatus, StoreStatus } from './store-methods.ts';

/** Reply to `GET /v1/node/status`. */
export interface NodeStatus extends StoreStatus {
  readonly blocks: readonly BlockStatus[];
  /** `null` before the speaker has its first configuration. */
  readonly bgp: SpeakerSummary | null;
  readonly dataplane: DataplaneStatus;
}

/** Reply to `GET /v1/policy/endpoint?name=NAME`. */
export interface ProgrammedPolicy {
  readonly endpoint: ProgrammedEndpoint;
  /** `nftables`, `iptables-legacy` or `iptables-nft`; `null`: none yet. */
  readonly packetFilter: string | null;
  /** Whether the packet filter holds no more than the datastore says: until the first sync it may. */
  readonly synced: boolean;
  /** What the kernel refuses, of this endpoint or anything else; whatever it is about is closed. */
  readonly failures: readonly FailureStatus[];
}
