/** What writes to the kernel. Apart from what is calculated: each is for a thread of its own, which loads no more than it runs. */

export { chooseFilter } from '../calc/filter-choice.ts';
export { FlowCollector } from '../flows/flow-collector.ts';
export { createDataplane } from './dataplane.ts';
export { acceptInDockerUser, leaveDockerUser } from './iptables/docker-user.ts';
export { livesOnLegacy, packetFilters } from './packet-filters.ts';
export { PolicySwitch } from './policy-switch.ts';
export type { Leftover, Takeover } from './takeover.ts';
export { takeOver } from './takeover.ts';
