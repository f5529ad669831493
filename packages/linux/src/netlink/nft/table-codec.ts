import type { NftHook } from '../../nftables.ts';
import { NLM_F } from '../constants.ts';
import { Attributes, type Message } from '../message-reader.ts';
import type { MessageWriter } from '../message-writer.ts';
import {
  CHAIN,
  GENERATION,
  HOOK,
  NESTED,
  NFNL,
  NFT_MSG,
  RULE,
  TABLE,
  TABLE_DORMANT,
} from './numbers.ts';

/** `struct nfgenmsg`: family (1), version (1), resource (2, in network byte order). */
export const GENERIC_OCTETS = 4;

export const CREATE = NLM_F.create;
export const DUMP = NLM_F.dump;
const APPEND = 0x800;

/** `inet overland`, taken apart. */
export interface TablePlace {
  /** NFPROTO_*. */
  readonly family: number;
  readonly table: string;
}

export function beginMessage(
  writer: MessageWriter,
  type: number,
  { family, flags }: { readonly family: number; readonly flags: number },
): void {
  writer.begin(type, flags);
  writer.u8(family);
  writer.u8(0);
  writer.u16(0);
}

/** Begins or ends a transaction. */
export function writeBatchMark(writer: MessageWriter, mark: 'begin' | 'end'): void {
  writer.begin(mark === 'begin' ? NFNL.batchBegin : NFNL.batchEnd, 0);
  writer.u16(0);
  writer.u8(0);
  writer.u8(NFNL.subsystem);
  writer.end();
}

export function writeTable(writer: MessageWriter, place: TablePlace): void {
  beginMessage(writer, NFT_MSG.newTable, { family: place.family, flags: CREATE });
  writer.attributeText(TABLE.name, place.table);
  writer.attributeBig32(TABLE.flags, 0);
  writer.end();
}

export function writeTableRemoval(writer: MessageWriter, { family, table }: TablePlace): void {
  beginMessage(writer, NFT_MSG.delTable, { family, flags: 0 });
  writer.attributeText(TABLE.name, table);
  writer.end();
}

export function writeTableGet(writer: MessageWriter, { family, table }: TablePlace): void {
  beginMessage(writer, NFT_MSG.getTable, { family, flags: 0 });
  writer.attributeText(TABLE.name, table);
  writer.end();
}

/** Reads from the body of NFT_MSG_NEWTABLE whether its chains see no packets. */
export function readDormant(message: Message): boolean {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  while (attributes.next()) {
    if (attributes.type === TABLE.flags) return (attributes.big32() & TABLE_DORMANT) !== 0;
  }
  return false;
}

export type ChainPlace = TablePlace & { readonly chain: string };

const HOOKS: readonly NftHook['hook'][] = [
  'prerouting',
  'input',
  'forward',
  'output',
  'postrouting',
];
const POLICIES: readonly NftHook['policy'][] = ['drop', 'accept'];

export function writeChain(writer: MessageWriter, place: ChainPlace, hook?: NftHook): void {
  beginMessage(writer, NFT_MSG.newChain, { family: place.family, flags: CREATE });
  writer.attributeText(CHAIN.table, place.table);
  writer.attributeText(CHAIN.name, place.chain);
  if (hook) {
    writer.attributeText(CHAIN.type, hook.type);
    writer.attributeBig32(CHAIN.policy, POLICIES.indexOf(hook.policy));
    writer.nest(CHAIN.hook | NESTED, () => {
      writer.attributeBig32(HOOK.number, HOOKS.indexOf(hook.hook));
      writer.attributeBig32(HOOK.priority, hook.priority);
    });
  }
  writer.end();
}

export function writeChainRemoval(writer: MessageWriter, place: ChainPlace): void {
  beginMessage(writer, NFT_MSG.delChain, { family: place.family, flags: 0 });
  writer.attributeText(CHAIN.table, place.table);
  writer.attributeText(CHAIN.name, place.chain);
  writer.end();
}

/** Of all tables of a family. */
export function writeChainDump(writer: MessageWriter, family: number): void {
  beginMessage(writer, NFT_MSG.getChain, { family, flags: DUMP });
  writer.end();
}

export interface ListedChain {
  readonly table: string;
  readonly name: string;
  readonly hook: NftHook | undefined;
}

/** Reads the body of NFT_MSG_NEWCHAIN. */
export function readChain(message: Message): ListedChain {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  let [table, name, type, policy] = ['', '', '', 1];
  let place: { readonly number: number; readonly priority: number } | undefined;
  while (attributes.next()) {
    if (attributes.type === CHAIN.table) table = attributes.text();
    else if (attributes.type === CHAIN.name) name = attributes.text();
    else if (attributes.type === CHAIN.type) type = attributes.text();
    else if (attributes.type === CHAIN.policy) policy = attributes.big32();
    else if (attributes.type === CHAIN.hook) place = readHookPlace(attributes.nested());
  }
  const hook = place && HOOKS[place.number];
  if (!hook || (type !== 'filter' && type !== 'nat' && type !== 'route')) {
    return { table, name, hook: undefined };
  }
  const { priority } = place ?? { priority: 0 };
  return { table, name, hook: { type, hook, priority, policy: POLICIES[policy] ?? 'accept' } };
}

function readHookPlace(attributes: Attributes): { number: number; priority: number } {
  let [number, priority] = [-1, 0];
  while (attributes.next()) {
    if (attributes.type === HOOK.number) number = attributes.big32();
    else if (attributes.type === HOOK.priority) priority = attributes.big32() | 0;
  }
  return { number, priority };
}

/** @param content Value of NFTA_RULE_EXPRESSIONS and of NFTA_RULE_USERDATA. */
export function writeRule(
  writer: MessageWriter,
  place: ChainPlace,
  content: { readonly expressions: Uint8Array; readonly userdata: Uint8Array },
): void {
  beginMessage(writer, NFT_MSG.newRule, { family: place.family, flags: CREATE | APPEND });
  writer.attributeText(RULE.table, place.table);
  writer.attributeText(RULE.chain, place.chain);
  writer.attributeBytes(RULE.expressions | NESTED, content.expressions);
  writer.attributeBytes(RULE.userdata, content.userdata);
  writer.end();
}

/** Removes all rules of a chain. */
export function writeChainFlush(writer: MessageWriter, place: ChainPlace): void {
  beginMessage(writer, NFT_MSG.delRule, { family: place.family, flags: 0 });
  writer.attributeText(RULE.table, place.table);
  writer.attributeText(RULE.chain, place.chain);
  writer.end();
}

export function writeRuleDump(writer: MessageWriter, { family, table }: TablePlace): void {
  beginMessage(writer, NFT_MSG.getRule, { family, flags: DUMP });
  writer.attributeText(RULE.table, table);
  writer.end();
}

/** Reads the body of NFT_MSG_NEWRULE: where it is, and what its user data is. */
export function readRule(message: Message): {
  readonly table: string;
  readonly chain: string;
  readonly userdata: Uint8Array;
} {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  let [table, chain] = ['', ''];
  let userdata: Uint8Array = new Uint8Array();
  while (attributes.next()) {
    if (attributes.type === RULE.table) table = attributes.text();
    else if (attributes.type === RULE.chain) chain = attributes.text();
    else if (attributes.type === RULE.userdata) userdata = attributes.octets();
  }
  return { table, chain, userdata };
}

export function writeGenerationGet(writer: MessageWriter): void {
  beginMessage(writer, NFT_MSG.getGeneration, { family: 0, flags: 0 });
  writer.end();
}

/** Reads the body of NFT_MSG_NEWGEN: the number grows with every transaction of anybody in the namespace. */
export function readGeneration(message: Message): number {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  while (attributes.next()) {
    if (attributes.type === GENERATION.id) return attributes.big32();
  }
  return 0;
}
