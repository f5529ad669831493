/** Interface index → name. */
export interface DeviceNames {
  /** `undefined` if no such interface exists any more. */
  nameOf(index: number): string | undefined;
}

/** Interface name → index. */
export interface DeviceNumbers {
  /** @throws {KernelError} ENODEV. */
  numberOf(name: string): number;
}
