import type { TokenBucket } from '../ports.ts';
import { NLM_F, RTM } from './constants.ts';
import { Attributes, type Message } from './message-reader.ts';
import { LITTLE_ENDIAN, type MessageWriter } from './message-writer.ts';
import { readTokenBucket, writeTokenBucket } from './token-bucket-codec.ts';

const TCMSG_OCTETS = 20;
const TCA = { kind: 1, options: 2 } as const;
const ROOT = 0xffff_ffff;
/** Where a qdisc of arriving packets is, and its handle. */
const INGRESS = { parent: 0xffff_fff1, handle: 0xffff_0000 } as const;
/** Filters of arriving packets: understood by `ingress` and by `clsact`. */
const INGRESS_FILTERS = 0xffff_fff2;
/** Handle of a token bucket of ours. The kernel hands out 8001 and up by itself, people write 1. */
const OWN_HANDLE = 0x0086_0000;
/** Priority (`pref`) of our filter, and ETH_P_ALL in network byte order. */
const OWN_PRIORITY = 86;
const EVERY_PROTOCOL = 0x0300;
const TCA_U32 = { sel: 5, act: 7 } as const;
const U32_TERMINAL = 1;
const TCA_ACT = { kind: 1, options: 2 } as const;
const TCA_MIRRED_PARMS = 2;
const MIRRED_OCTETS = 28;
const TC_ACT_STOLEN = 4;
const EGRESS_REDIRECT = 1;

/** What one message of a dump of qdiscs says. */
export interface FoundQdisc {
  readonly linkIndex: number;
  readonly kind: string;
  /** Only of a token bucket of ours. */
  readonly bucket?: TokenBucket;
}

/**
 * Reads the body of RTM_NEWQDISC. linux/rtnetlink.h, `struct tcmsg`, as of all messages here:
 *
 *   +------------+---------+-----------+------------+------------+----------+
 *   | Family (1) | Pad (3) | Index (4) | Handle (4) | Parent (4) | Info (4) |
 *   +------------+---------+-----------+------------+------------+----------+
 *
 * @returns `undefined` for what is neither at the root nor for arriving packets.
 */
export function readQdisc(message: Message): FoundQdisc | undefined {
  const { view, start, end } = message;
  const parent = view.getUint32(start + 12, LITTLE_ENDIAN);
  if (parent !== ROOT && parent !== INGRESS.parent) return undefined;
  let kind = '';
  let bucket: TokenBucket | undefined;
  const isOwn = view.getUint32(start + 8, LITTLE_ENDIAN) === OWN_HANDLE;
  const attributes = new Attributes(message, start + TCMSG_OCTETS, end);
  while (attributes.next()) {
    if (attributes.type === TCA.kind) kind = attributes.text();
    else if (attributes.type === TCA.options && kind === 'tbf' && isOwn)
      bucket = readTokenBucket(attributes.nested());
  }
  return { linkIndex: readTrafficControlLink(message), kind, ...(bucket && { bucket }) };
}

/** Number of the interface that a message about a qdisc or filter is about. */
export function readTrafficControlLink({ view, start }: Message): number {
  return view.getInt32(start + 4, LITTLE_ENDIAN);
}

export function writeQdiscDump(writer: MessageWriter): void {
  writer.begin(RTM.getQdisc, NLM_F.dump);
  writeHeader(writer, { index: 0, handle: 0, parent: 0, info: 0 });
  writer.end();
}

export function writeBucketReplacement(
  writer: MessageWriter,
  index: number,
  bucket: TokenBucket,
): void {
  writer.begin(RTM.newQdisc, NLM_F.create | NLM_F.replace);
  writeHeader(writer, { index, handle: OWN_HANDLE, parent: ROOT, info: 0 });
  writer.attributeText(TCA.kind, 'tbf');
  writer.nest(TCA.options, () => writeTokenBucket(writer, bucket));
  writer.end();
}

export function writeBucketRemoval(writer: MessageWriter, index: number): void {
  writer.begin(RTM.delQdisc, 0);
  writeHeader(writer, { index, handle: OWN_HANDLE, parent: ROOT, info: 0 });
  writer.end();
}

/** EEXIST if the interface has one already, be it `ingress` or `clsact`: both take our filter. */
export function writeIngressCreation(writer: MessageWriter, index: number): void {
  writer.begin(RTM.newQdisc, NLM_F.create | NLM_F.exclusive);
  writeHeader(writer, { index, ...INGRESS, info: 0 });
  writer.attributeText(TCA.kind, 'ingress');
  writer.end();
}

export function writeIngressRemoval(writer: MessageWriter, index: number): void {
  writer.begin(RTM.delQdisc, 0);
  writeHeader(writer, { index, ...INGRESS, info: 0 });
  writer.end();
}

export function writeFilterDump(writer: MessageWriter, index: number): void {
  writer.begin(RTM.getFilter, NLM_F.dump);
  writeHeader(writer, { index, handle: 0, parent: INGRESS_FILTERS, info: 0 });
  writer.end();
}

export function writeRedirectRemoval(writer: MessageWriter, index: number): void {
  writer.begin(RTM.delFilter, 0);
  writeFilterHeader(writer, index);
  writer.end();
}

/**
 * A u32 filter that matches everything, and sends it out by another interface (`action mirred egress redirect`). cls_u32 is
 * older and in more kernels than cls_matchall.
 */
export function writeRedirectCreation(writer: MessageWriter, index: number, target: number): void {
  writer.begin(RTM.newFilter, NLM_F.create | NLM_F.exclusive);
  writeFilterHeader(writer, index);
  writer.attributeText(TCA.kind, 'u32');
  writer.nest(TCA.options, () => {
    writer.nest(TCA_U32.sel, () => {
      // struct tc_u32_sel with one struct tc_u32_key: mask 0, value 0.
      writer.u8(U32_TERMINAL);
      writer.u8(0);
      writer.u8(1);
      writer.zeros(13 + 16);
    });
    writer.nest(TCA_U32.act, () => {
      writer.nest(1, () => {
        writer.attributeText(TCA_ACT.kind, 'mirred');
        writer.nest(TCA_ACT.options, () => {
          writer.nest(TCA_MIRRED_PARMS, () => writeMirred(writer, target));
        });
      });
    });
  });
  writer.end();
}

/**
 * `struct tc_mirred`:
 *
 *   +-----------+--------------+------------+----------------+-----------+---------------+-----------+
 *   | Index (4) | Capab. (4)   | Action (4) | References (4) | Bound (4) | Direction (4) | Link (4)  |
 *   +-----------+--------------+------------+----------------+-----------+---------------+-----------+
 */
function writeMirred(writer: MessageWriter, target: number): void {
  writer.zeros(8);
  writer.u32(TC_ACT_STOLEN);
  writer.zeros(8);
  writer.u32(EGRESS_REDIRECT);
  writer.u32(target);
}

/** What one message of a dump of filters says. */
export interface FoundFilter {
  readonly isOwn: boolean;
  /** Number of the interface that ours leads to. */
  readonly target?: number;
}

/** Reads the body of RTM_NEWTFILTER. */
export function readFilter(message: Message): FoundFilter {
  const { view, start, end } = message;
  const isOwn = view.getUint32(start + 16, LITTLE_ENDIAN) >>> 16 === OWN_PRIORITY;
  let kind = '';
  let target: number | undefined;
  const attributes = new Attributes(message, start + TCMSG_OCTETS, end);
  while (attributes.next()) {
    if (attributes.type === TCA.kind) kind = attributes.text();
    else if (attributes.type === TCA.options && kind === 'u32' && isOwn)
      target = readTarget(attributes.nested());
  }
  return { isOwn, ...(target !== undefined && { target }) };
}

/** @param options Of the filter: the first action is what counts. */
function readTarget(options: Attributes): number | undefined {
  const actions = find(options, TCA_U32.act);
  const first = actions && find(actions, 1);
  const action = first && find(first, TCA_ACT.options);
  while (action?.next()) {
    if (action.type !== TCA_MIRRED_PARMS || action.length < MIRRED_OCTETS) continue;
    return action.message.view.getUint32(action.start + 24, LITTLE_ENDIAN);
  }
  return undefined;
}

function find(attributes: Attributes, type: number): Attributes | undefined {
  while (attributes.next()) if (attributes.type === type) return attributes.nested();
  return undefined;
}

function writeFilterHeader(writer: MessageWriter, index: number): void {
  const info = OWN_PRIORITY * 0x1_0000 + EVERY_PROTOCOL;
  writeHeader(writer, { index, handle: 0, parent: INGRESS_FILTERS, info });
}

function writeHeader(
  writer: MessageWriter,
  { index, handle, parent, info }: Record<'index' | 'handle' | 'parent' | 'info', number>,
): void {
  writer.zeros(4);
  writer.u32(index);
  writer.u32(handle);
  writer.u32(parent);
  writer.u32(info);
}
