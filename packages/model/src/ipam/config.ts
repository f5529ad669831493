import { stringifyJson } from '../json.ts';
import { FieldReader, parseIpamObject, type UnknownFields } from './decode.ts';

/** What stands at `IPAM_CONFIG_KEY`: how Calico's allocator claims blocks. */
export interface IpamConfig {
  /** Addresses only from blocks of the own host. */
  readonly strictAffinity: boolean;
  /** Claim a further block when all are full. */
  readonly autoAllocateBlocks: boolean;
  /** 0: Calico's own limit, 20. */
  readonly maxBlocksPerHost: number;
  /** How long a released address rests before it is handed out again. */
  readonly ipCooldownSeconds: number;
  readonly kubeVirtVmAddressPersistence: string | undefined;
  readonly unknown: UnknownFields;
}

/** What holds when the key is absent. */
export const DEFAULT_IPAM_CONFIG: IpamConfig = {
  strictAffinity: false,
  autoAllocateBlocks: true,
  maxBlocksPerHost: 0,
  ipCooldownSeconds: 0,
  kubeVirtVmAddressPersistence: undefined,
  unknown: {},
};

/**
 * Decodes the value of the key. Go leaves out what is zero, so an absent `auto_allocate_blocks` in an
 * object that is present means false.
 *
 * @throws {IpamValueError} If it is not the configuration.
 */
export function decodeIpamConfig(text: string): IpamConfig {
  const reader = new FieldReader('IPAM configuration', parseIpamObject('IPAM configuration', text));
  return {
    strictAffinity: reader.flag('strict_affinity'),
    autoAllocateBlocks: reader.flag('auto_allocate_blocks'),
    maxBlocksPerHost: reader.count('maxBlocksPerHost') ?? 0,
    ipCooldownSeconds: reader.count('ipCooldownSeconds') ?? 0,
    kubeVirtVmAddressPersistence: reader.text('kubeVirtVMAddressPersistence'),
    unknown: reader.rest(),
  };
}

/** The inverse of {@link decodeIpamConfig}: what is zero is left out. */
export function encodeIpamConfig(config: IpamConfig): string {
  return stringifyJson({
    strict_affinity: config.strictAffinity || undefined,
    auto_allocate_blocks: config.autoAllocateBlocks || undefined,
    maxBlocksPerHost: config.maxBlocksPerHost || undefined,
    kubeVirtVMAddressPersistence: config.kubeVirtVmAddressPersistence || undefined,
    ipCooldownSeconds: config.ipCooldownSeconds || undefined,
    ...config.unknown,
  });
}
