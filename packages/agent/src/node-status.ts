import type { SpeakerSummary } from '@overland/bgp/node';
import type { DataplaneStatus } from '@overland/felix';
import type { BlockStatus, StoreStatus } from './store-methods.ts';

/** Reply to `GET /v1/node/status`. */
export interface NodeStatus extends StoreStatus {
  readonly blocks: readonly BlockStatus[];
  /** `null` before the speaker has its first configuration. */
  readonly bgp: SpeakerSummary | null;
  readonly dataplane: DataplaneStatus;
}
