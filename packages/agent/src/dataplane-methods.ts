import type { Gateway } from '@overland/bgp';
import type {
  CollectedFlows,
  DataplaneStatus,
  FilterMode,
  LocalState,
  PolicyChange,
} from '@overland/felix';
import type { Takeover } from '@overland/felix/dataplane';
import type { Family, IpAddress, RouteBatch } from '@overland/net';
import type { HealthMethods } from './thread-health.ts';

/** What the dataplane answers to main. */
export type DataplaneMethods = HealthMethods & {
  status: () => DataplaneStatus;
  /** What Calico has left in packet filters; removes it if so asked. */
  takeOver: (remove: boolean) => Promise<Takeover>;
  /** Begins to listen for flows; nothing if it does already. */
  startFlows: () => void;
  stopFlows: () => void;
  takeFlows: () => CollectedFlows;
};

/** What the dataplane answers to the speaker. */
export type DataplaneForSpeaker = {
  /** Families of which the kernel held routes of ours when the agent started: an earlier one has lived here. */
  preserved: () => readonly Family[];
  /** Resolves when every route of the batch has been tried. */
  applyRoutes: (batch: RouteBatch) => Promise<number>;
  /** Has the kernel look for a next hop again that has stopped answering. */
  probe: (nextHop: Gateway) => Promise<void>;
};

/** What the dataplane answers to the store, besides the calls of a kernel. */
export type DataplaneForStore = {
  setLocalState: (state: LocalState) => void;
  changePolicy: (change: PolicyChange) => void;
  /** What FelixConfigurations say of the packet filter: policy moves if it is to be in another one. */
  setFilterMode: (mode: FilterMode) => void;
  /** Has Docker's packet filter let pass what policy has allowed. */
  acceptInDockerUser: () => Promise<void>;
  /** Whether the endpoint came to be fully programmed within the time. */
  endpointReady: (
    interfaceName: string,
    addresses: readonly IpAddress[],
    timeoutMs: number,
  ) => Promise<boolean>;
};
