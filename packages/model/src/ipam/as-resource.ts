import { ParseError } from '@overland/net';
import { isJsonObject, type JsonValue, parseJson } from '../json.ts';
import {
  affinityPrefix,
  blockPrefix,
  HANDLE_PREFIX,
  IPAM_CONFIG_KEY,
  parseAffinityKey,
  parseBlockKey,
  parseHandleKey,
} from '../keys.ts';
import { type Kind, kindTable } from '../kinds.ts';
import { readResource } from '../read-resource.ts';
import { API_VERSION } from '../resource.ts';
import { fieldNames } from '../schema.ts';
import { decodeAffinity } from './affinity.ts';
import { decodeBlock } from './block.ts';
import { decodeIpamConfig, encodeIpamConfig } from './config.ts';
import { decodeHandle } from './handle.ts';

/** How a kind that is stored under Calico's IPAM keys is shown as a resource. */
export interface IpamView {
  /** Where its objects are. */
  readonly prefixes: readonly string[];
  /** The name of the object at a key; `undefined` if the key is of something else. */
  readonly nameOf: (key: string) => string | undefined;
  /** The spec of the object at a key. @throws {IpamValueError | ParseError} If the value is none. */
  readonly specOf: (key: string, value: string) => unknown;
}

/** `10.65.0.0/26` as a part of a name: `10-65-0-0-26`. */
function nameOfPrefix(cidr: string): string {
  return cidr.replaceAll(/[.:/]/g, '-');
}

const VIEWS: Readonly<Partial<Record<Kind, IpamView>>> = {
  BlockAffinity: {
    prefixes: [affinityPrefix('host'), affinityPrefix('virtual')],
    nameOf: (key) => {
      const affinity = parseAffinityKey(key);
      return affinity && `${affinity.owner.name}-${nameOfPrefix(affinity.cidr)}`;
    },
    specOf: (key, value) => {
      const { owner, cidr } = parseAffinityKey(key) ?? unexpected(key);
      const { state, deleted, unknown } = decodeAffinity(value);
      return { ...unknown, state, node: owner.name, type: owner.type, cidr, deleted };
    },
  },
  IPAMBlock: {
    prefixes: [blockPrefix()],
    nameOf: (key) => {
      const cidr = parseBlockKey(key);
      return cidr && nameOfPrefix(cidr);
    },
    specOf: (_key, value) => {
      const { affinity, affinityClaimTime, ...rest } = decodeBlock(value);
      const stored = parseJson(value) as { readonly attributes?: unknown };
      const { unknown, ...known } = rest;
      return {
        ...unknown,
        ...known,
        affinity,
        affinityClaimTime,
        attributes: stored.attributes ?? [],
      };
    },
  },
  IPAMHandle: {
    prefixes: [HANDLE_PREFIX],
    nameOf: parseHandleKey,
    specOf: (key, value) => {
      const { blocks, deleted, unknown } = decodeHandle(value);
      return { ...unknown, handleID: parseHandleKey(key), block: blocks, deleted };
    },
  },
  IPAMConfiguration: {
    prefixes: [IPAM_CONFIG_KEY],
    nameOf: (key) => (key === IPAM_CONFIG_KEY ? 'default' : undefined),
    specOf: (_key, value) => {
      const { kubeVirtVmAddressPersistence, unknown, ...config } = decodeIpamConfig(value);
      return {
        ...unknown,
        ...config,
        ...(kubeVirtVmAddressPersistence !== undefined && {
          kubeVirtVMAddressPersistence: kubeVirtVmAddressPersistence,
        }),
      };
    },
  },
};

/** The view of a kind whose table says `storage: 'ipam'`. */
export function ipamView(kind: Kind): IpamView {
  return VIEWS[kind] ?? unexpected(kind);
}

/** The object at an IPAM key in the form of a stored resource; `undefined` if the key is of another kind. */
export function ipamResource(kind: Kind, key: string, value: string): unknown {
  const { nameOf, specOf } = ipamView(kind);
  const name = nameOf(key);
  if (name === undefined) return undefined;
  return { apiVersion: API_VERSION, kind, metadata: { name }, spec: specOf(key, value) };
}

/** The value at `IPAM_CONFIG_KEY` of an `IPAMConfiguration`. The inverse of {@link ipamResource}. */
export function ipamConfigValue(document: unknown): string {
  const { spec } = readResource('IPAMConfiguration', document);
  const known = new Set([...fieldNames(kindTable('IPAMConfiguration').spec)]);
  const given = isJsonObject(document) && isJsonObject(document.spec) ? document.spec : {};
  return encodeIpamConfig({
    strictAffinity: spec.strictAffinity,
    autoAllocateBlocks: spec.autoAllocateBlocks,
    maxBlocksPerHost: spec.maxBlocksPerHost,
    ipCooldownSeconds: spec.ipCooldownSeconds,
    kubeVirtVmAddressPersistence: spec.kubeVirtVMAddressPersistence,
    unknown: Object.fromEntries(
      Object.entries(given).filter(([key]) => !known.has(key)) as [string, JsonValue][],
    ),
  });
}

function unexpected(what: string): never {
  throw new ParseError('IPAM kind or key', what, "one of Calico's");
}
