import type { NftSetSpec } from '../../nftables.ts';
import { Attributes, type Message } from '../message-reader.ts';
import type { MessageWriter } from '../message-writer.ts';
import {
  DATA_VERDICT,
  LIST_ELEMENT,
  NESTED,
  NFT_MSG,
  SET,
  SET_DESCRIPTION,
  SET_FLAG,
} from './numbers.ts';
import { beginMessage, CREATE, DUMP, GENERIC_OCTETS, type TablePlace } from './table-codec.ts';
import { concatenatedTypes, keyType, padded, typeNames, type ValueType } from './value-types.ts';

/** What a set takes. */
export interface SetForm {
  readonly types: readonly ValueType[];
  readonly isInterval: boolean;
  readonly isMap: boolean;
}

/** A set without a name: it belongs to one rule of the same transaction. */
export interface Anonymous {
  readonly id: number;
  /** Of its elements. */
  readonly size: number;
}

/** In the user data: the byte order of keys, so that nft prints them right. */
const KEY_BYTE_ORDER = 0;
const BYTE_ORDER = { unknown: 0, host: 1, network: 2 } as const;

/** @returns `undefined` if there is a type that we do not know. */
export function formOf({ key, verdicts = false, interval = false }: Spec): SetForm | undefined {
  const types = key.flatMap((name) => keyType(name) ?? []);
  return types.length === key.length && key.length > 0
    ? { types, isInterval: interval, isMap: verdicts }
    : undefined;
}

type Spec = Omit<NftSetSpec, 'key'> & { readonly key: readonly string[] };

function keyOctets({ types }: SetForm): number {
  const [only] = types;
  if (types.length === 1 && only) return only.octets;
  return types.reduce((sum, { octets }) => sum + padded(octets), 0);
}

export function writeSet(
  writer: MessageWriter,
  place: TablePlace & { readonly set: string },
  form: SetForm,
  anonymous?: Anonymous,
): void {
  const { types, isInterval, isMap } = form;
  const isConcatenated = types.length > 1;
  beginMessage(writer, NFT_MSG.newSet, { family: place.family, flags: CREATE });
  writer.attributeText(SET.table, place.table);
  writer.attributeText(SET.name, place.set);
  writer.attributeBig32(
    SET.flags,
    (anonymous ? SET_FLAG.anonymous | SET_FLAG.constant : 0) |
      (isInterval ? SET_FLAG.interval : 0) |
      (isMap ? SET_FLAG.map : 0) |
      (isConcatenated && isInterval ? SET_FLAG.concatenation : 0),
  );
  writer.attributeBig32(SET.keyType, concatenatedTypes(types));
  writer.attributeBig32(SET.keyLength, keyOctets(form));
  if (isMap) {
    writer.attributeBig32(SET.dataType, DATA_VERDICT);
    writer.attributeBig32(SET.dataLength, 0);
  }
  // An identifier is asked for, although only sets without a name need one.
  writer.attributeBig32(SET.id, anonymous?.id ?? 0);
  if (anonymous || (isConcatenated && isInterval)) {
    writer.nest(SET.description | NESTED, () => writeDescription(writer, form, anonymous));
  }
  const order = isConcatenated ? 'unknown' : (types[0]?.order ?? 'unknown');
  writer.attributeBytes(SET.userdata, Uint8Array.of(KEY_BYTE_ORDER, 4, BYTE_ORDER[order], 0, 0, 0));
  writer.end();
}

function writeDescription(writer: MessageWriter, { types }: SetForm, anonymous?: Anonymous): void {
  if (anonymous) {
    writer.attributeBig32(SET_DESCRIPTION.size, anonymous.size);
    return;
  }
  const FIELD_LENGTH = 1;
  writer.nest(SET_DESCRIPTION.concatenation | NESTED, () => {
    for (const { octets } of types) {
      writer.nest(LIST_ELEMENT | NESTED, () => writer.attributeBig32(FIELD_LENGTH, octets));
    }
  });
}

export function writeSetRemoval(
  writer: MessageWriter,
  { family, table, set }: TablePlace & { readonly set: string },
): void {
  beginMessage(writer, NFT_MSG.delSet, { family, flags: 0 });
  writer.attributeText(SET.table, table);
  writer.attributeText(SET.name, set);
  writer.end();
}

/** Asks for one set, or for all of a table. */
export function writeSetGet(
  writer: MessageWriter,
  { family, table, set }: TablePlace & { readonly set?: string },
): void {
  beginMessage(writer, NFT_MSG.getSet, { family, flags: set === undefined ? DUMP : 0 });
  writer.attributeText(SET.table, table);
  if (set !== undefined) writer.attributeText(SET.name, set);
  writer.end();
}

/** A set as the kernel lists it. */
export interface ListedSet {
  readonly table: string;
  readonly name: string;
  readonly isAnonymous: boolean;
  readonly key: readonly string[];
  readonly verdicts: boolean;
  readonly interval: boolean;
}

/** Reads the body of NFT_MSG_NEWSET. */
export function readSet(message: Message): ListedSet {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  let [table, name, flags, type] = ['', '', 0, 0];
  while (attributes.next()) {
    if (attributes.type === SET.table) table = attributes.text();
    else if (attributes.type === SET.name) name = attributes.text();
    else if (attributes.type === SET.flags) flags = attributes.big32();
    else if (attributes.type === SET.keyType) type = attributes.big32();
  }
  return {
    table,
    name,
    isAnonymous: (flags & SET_FLAG.anonymous) !== 0,
    key: typeNames(type),
    verdicts: (flags & SET_FLAG.map) !== 0,
    interval: (flags & SET_FLAG.interval) !== 0,
  };
}
