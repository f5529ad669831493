import { WORKLOAD_LINK } from '@overland/net';

const INTERFACE_NAME = new RegExp(`^${WORKLOAD_LINK.namePrefix}[A-Za-z0-9_.-]{0,11}$`);

/** Whether we may touch an interface: of our prefix, and a name the kernel and nft take without quoting. */
export function isWorkloadInterface(name: string): boolean {
  return INTERFACE_NAME.test(name);
}
