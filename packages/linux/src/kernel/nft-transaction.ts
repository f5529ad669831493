import { MessageWriter } from '../netlink/message-writer.ts';
import type { CompiledRule } from '../netlink/nft/compile-rule.ts';
import { rawElements, writeElements, writeSetFlush } from '../netlink/nft/element-codec.ts';
import { NFPROTO } from '../netlink/nft/numbers.ts';
import {
  formOf,
  type ListedSet,
  type SetForm,
  writeSet,
  writeSetRemoval,
} from '../netlink/nft/set-codec.ts';
import {
  type TablePlace,
  writeBatchMark,
  writeChain,
  writeChainFlush,
  writeChainRemoval,
  writeRule,
  writeTable,
  writeTableRemoval,
} from '../netlink/nft/table-codec.ts';
import { named } from '../netlink/nft/value-types.ts';
import { type NftChange, NftError } from '../nftables.ts';

type SetChange = Extract<NftChange, { readonly set: string }>;
type ChainChange = Extract<NftChange, { readonly chain: string }>;

/** What a transaction needs to know beyond its changes. */
export interface TransactionContext {
  readonly compile: (rule: string) => CompiledRule;
  /** The set as it is in the kernel. */
  readonly findSet: (place: TablePlace, set: string) => ListedSet | undefined;
}

/** Takes `inet overland` apart. @throws {NftError} */
export function placeOf(table: string): TablePlace {
  const [family = '', name = '', ...rest] = table.split(' ');
  const number = named(NFPROTO, family);
  if (number === undefined || name === '' || rest.length > 0) {
    const families = Object.keys(NFPROTO).join(', ');
    throw new NftError(`table ${JSON.stringify(table)}: not a family (${families}) and a name`);
  }
  return { family: number, table: name };
}

/** Changes as one batch of messages. */
export class NftTransaction {
  readonly #writer: MessageWriter;
  readonly #context: TransactionContext;
  /** Of sets that this transaction has made or asked for; `undefined` is one that is not there. */
  readonly #forms = new Map<string, SetForm | undefined>();
  /** Tables that are made anew: what the kernel knows of their sets is past. */
  readonly #anew = new Set<string>();
  /** Sequence of what comes before the changes. */
  readonly #begin: number;
  /** For each change, the sequence of its last message. */
  readonly #lastOf: number[] = [];
  #nextId = 1;

  /** @param sequence Of the last message that the socket has sent. */
  constructor(context: TransactionContext, sequence: number) {
    this.#context = context;
    this.#writer = new MessageWriter(sequence);
    writeBatchMark(this.#writer, 'begin');
    this.#begin = this.#writer.sequence;
  }

  get sequence(): number {
    return this.#writer.sequence;
  }

  /** @throws {NftError} If it cannot be written down. */
  add(change: NftChange): void {
    const place = placeOf(change.table);
    if (change.type === 'add-table') writeTable(this.#writer, place);
    else if (change.type === 'delete-table') this.#deleteTable(change.table, place);
    else if ('chain' in change) this.#addChainChange(change, place);
    else this.#addSetChange(change, place);
    this.#lastOf.push(this.#writer.sequence);
  }

  /** Ends the batch. @returns Its messages; the last change is answered if all of them are made. */
  finish(): Uint8Array {
    this.#writer.acknowledge();
    writeBatchMark(this.#writer, 'end');
    return this.#writer.bytes;
  }

  /** Which change a message belongs to; -1: none, it is about all of them. @param sequence Of the message. */
  changeOf(sequence: number): number {
    if (sequence <= this.#begin) return -1;
    return this.#lastOf.findIndex((last) => sequence <= last);
  }

  #deleteTable(name: string, place: TablePlace): void {
    writeTableRemoval(this.#writer, place);
    for (const key of this.#forms.keys()) {
      if (key.startsWith(`${name} `)) this.#forms.delete(key);
    }
    this.#anew.add(name);
  }

  #addChainChange(change: ChainChange, table: TablePlace): void {
    const writer = this.#writer;
    const place = { ...table, chain: change.chain };
    if (change.type === 'add-chain') writeChain(writer, place, change.hook);
    else if (change.type === 'flush-chain') writeChainFlush(writer, place);
    else if (change.type === 'add-rule') this.#addRule(place, this.#context.compile(change.rule));
    else writeChainRemoval(writer, place);
  }

  #addRule(place: TablePlace & { readonly chain: string }, rule: CompiledRule): void {
    const { sets, userdata } = rule;
    const expressions = sets.length === 0 ? rule.expressions : rule.expressions.slice();
    const view = new DataView(expressions.buffer, expressions.byteOffset, expressions.byteLength);
    for (const { elements, isMap, identifierAt, ...form } of sets) {
      const id = this.#nextId++;
      const set = { ...place, set: isMap ? '__map%d' : '__set%d', id };
      writeSet(this.#writer, set, { ...form, isMap }, { id, size: elements.length });
      writeElements(this.#writer, set, 'add', elements);
      view.setUint32(identifierAt, id);
    }
    writeRule(this.#writer, place, { expressions, userdata });
  }

  #addSetChange(change: SetChange, table: TablePlace): void {
    const writer = this.#writer;
    const place = { ...table, set: change.set };
    const key = `${change.table} ${change.set}`;
    switch (change.type) {
      case 'add-set': {
        const form = formOf(change);
        if (!form) throw new NftError(`set ${change.set}: no key of ${change.key.join(' . ')}`);
        writeSet(writer, place, form, undefined);
        this.#forms.set(key, form);
        break;
      }
      case 'delete-set':
        writeSetRemoval(writer, place);
        this.#forms.set(key, undefined);
        break;
      case 'flush-set':
        writeSetFlush(writer, place);
        break;
      default: {
        const form = this.#formOf(key, change, table);
        const isRemoval = change.type === 'remove-elements';
        // What a key leads to does not matter when it goes.
        const taken = isRemoval ? { ...form, isMap: false } : form;
        const elements = change.elements.flatMap((element) =>
          rawElements(taken, isRemoval ? { key: element.key } : element),
        );
        writeElements(writer, place, isRemoval ? 'remove' : 'add', elements);
      }
    }
  }

  #formOf(key: string, { set, table }: SetChange, place: TablePlace): SetForm {
    if (!this.#forms.has(key)) {
      const listed = this.#anew.has(table) ? undefined : this.#context.findSet(place, set);
      this.#forms.set(key, listed && formOf(listed));
    }
    const form = this.#forms.get(key);
    if (!form) throw new NftError(`set ${set} of table ${table}: there is none that we could fill`);
    return form;
  }
}
