import type { DeviceNames } from '../netlink/devices.ts';
import {
  type FoundQdisc,
  readFilter,
  readQdisc,
  writeBucketRemoval,
  writeBucketReplacement,
  writeFilterDump,
  writeIngressCreation,
  writeIngressRemoval,
  writeQdiscDump,
  writeRedirectCreation,
  writeRedirectRemoval,
} from '../netlink/traffic-control-codec.ts';
import { KernelError, type ShapedLink, type TrafficControl } from '../ports.ts';
import type { NetlinkContext } from './netlink-context.ts';

/** Of a qdisc or filter that is not there, or whose interface is not. */
const ABSENT = ['ENOENT', 'ENODEV', 'EINVAL'];

/** {@link TrafficControl} over rtnetlink: tbf, and ingress with a u32 filter. */
export function netlinkTrafficControl(context: NetlinkContext): TrafficControl {
  const { requests } = context;
  return {
    list: async () => list(context),

    async shape(device, bucket) {
      const operation = `shape ${device}`;
      const index = context.linkNumber(device, operation);
      naming('the queueing discipline tbf', () =>
        requests.changeOne(bucket, {
          encode: (writer) => writeBucketReplacement(writer, index, bucket),
          describe: () => operation,
        }),
      );
    },

    async unshape(device) {
      const link = context.findLink(device);
      if (link === undefined) return;
      const { bucket } = qdiscs(context).find(isOnLink(link.index)) ?? {};
      if (bucket === undefined) return;
      requests.changeOne(device, {
        encode: (writer) => writeBucketRemoval(writer, link.index),
        describe: () => `stop shaping ${device}`,
        fulfilled: ABSENT,
      });
    },

    async redirect(device, target) {
      const operation = `redirect ${device} to ${target}`;
      const index = context.linkNumber(device, operation);
      const targetIndex = context.linkNumber(target, operation);
      const describe = (): string => operation;
      naming('the queueing discipline ingress', () =>
        requests.changeOne(device, {
          encode: (writer) => writeIngressCreation(writer, index),
          describe,
          fulfilled: ['EEXIST'],
        }),
      );
      requests.changeOne(device, {
        encode: (writer) => writeRedirectRemoval(writer, index),
        describe,
        fulfilled: ABSENT,
      });
      naming('filters of kind u32 with the action mirred', () =>
        requests.changeOne(device, {
          encode: (writer) => writeRedirectCreation(writer, index, targetIndex),
          describe,
        }),
      );
    },

    unredirect: async (device) => unredirect(context, device),
  };
}

function list(context: NetlinkContext): ShapedLink[] {
  const devices = context.devices();
  const shaped = new Map<string, ShapedLink>();
  for (const { linkIndex, kind, bucket } of qdiscs(context)) {
    const device = devices.nameOf(linkIndex);
    if (device === undefined) continue;
    const redirect = isIngress(kind) ? redirectOf(context, linkIndex, devices) : undefined;
    if (bucket === undefined && redirect === undefined) continue;
    shaped.set(device, {
      device,
      ...shaped.get(device),
      ...(bucket && { bucket }),
      ...(redirect !== undefined && { redirect }),
    });
  }
  return [...shaped.values()];
}

function qdiscs({ requests }: NetlinkContext): FoundQdisc[] {
  return requests.dump('list qdiscs', writeQdiscDump, readQdisc);
}

function isIngress(kind: string): boolean {
  return kind === 'ingress' || kind === 'clsact';
}

function isOnLink(index: number) {
  return ({ linkIndex, bucket }: FoundQdisc): boolean =>
    linkIndex === index && bucket !== undefined;
}

function filters(context: NetlinkContext, index: number) {
  return context.requests.dump(
    'list filters',
    (writer) => writeFilterDump(writer, index),
    readFilter,
  );
}

/** @returns Empty if ours leads nowhere: the interface that it led to is gone. */
function redirectOf(
  context: NetlinkContext,
  index: number,
  devices: DeviceNames,
): string | undefined {
  try {
    const own = filters(context, index).filter(({ isOwn }) => isOwn);
    if (own.length === 0) return undefined;
    const target = own.find((filter) => filter.target !== undefined)?.target;
    return (target && devices.nameOf(target)) || '';
  } catch (error) {
    // Gone between the two listings.
    if (error instanceof KernelError && ABSENT.includes(error.code)) return undefined;
    throw error;
  }
}

/** The qdisc goes with our filter unless somebody else has filters in it. */
function unredirect(context: NetlinkContext, device: string): void {
  const link = context.findLink(device);
  if (link === undefined) return;
  const ingress = qdiscs(context).find(
    ({ linkIndex, kind }) => linkIndex === link.index && isIngress(kind),
  );
  if (ingress === undefined) return;
  const found = filters(context, link.index);
  if (!found.some(({ isOwn }) => isOwn)) return;
  const isAlone = ingress.kind === 'ingress' && found.every(({ isOwn }) => isOwn);
  context.requests.changeOne(device, {
    encode: (writer) =>
      isAlone ? writeIngressRemoval(writer, link.index) : writeRedirectRemoval(writer, link.index),
    describe: () => `stop redirecting ${device}`,
    fulfilled: ABSENT,
  });
}

/** Says what the kernel lacks: its own word for it is ENOENT. */
function naming(part: string, change: () => void): void {
  try {
    change();
  } catch (error) {
    if (!(error instanceof KernelError) || error.code !== 'ENOENT') throw error;
    throw new KernelError(error.code, error.operation, `the kernel has no ${part}`);
  }
}
