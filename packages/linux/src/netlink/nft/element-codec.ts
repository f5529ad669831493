import { type NftElement, NftError } from '../../nftables.ts';
import { Attributes, type Message } from '../message-reader.ts';
import type { MessageWriter } from '../message-writer.ts';
import {
  boundsOf,
  compareOctets,
  concatenated,
  type Interval,
  parseInterval,
  predecessor,
  printInterval,
  type RawElement,
  type Verdict,
} from './elements.ts';
import { writeVerdict } from './expression-writer.ts';
import {
  DATA,
  ELEMENT,
  ELEMENT_INTERVAL_END,
  ELEMENT_LIST,
  LIST_ELEMENT,
  NESTED,
  NFT_MSG,
  VERDICT,
} from './numbers.ts';
import { parseVerdict, verdictText } from './read-verdict.ts';
import type { SetForm } from './set-codec.ts';
import { beginMessage, CREATE, DUMP, GENERIC_OCTETS, type TablePlace } from './table-codec.ts';
import { padded } from './value-types.ts';

export type SetPlace = TablePlace & { readonly set: string };

/** What the kernel takes for an element. @throws {NftError} If the set has no such elements. */
export function rawElements(form: SetForm, element: NftElement): RawElement[] {
  const { key, verdict: text } = element;
  if ((text !== undefined) !== form.isMap) {
    throw new NftError(
      `element ${JSON.stringify(key)}: ${form.isMap ? 'a map needs a verdict' : 'a set has no verdicts'}`,
    );
  }
  const verdict = text === undefined ? undefined : parseVerdict(text);
  const parts = form.types.length === 1 ? [key] : key.split(' . ');
  if (parts.length !== form.types.length) {
    throw new NftError(
      `element ${JSON.stringify(key)}: ${parts.length} parts, not ${form.types.length}`,
    );
  }
  const intervals = parts.map((part, i) => readPart(form, part, i));
  const [only] = intervals;
  if (intervals.length === 1 && only) {
    return form.isInterval
      ? boundsOf(only, verdict)
      : [{ key: only.first, ...withVerdict(verdict) }];
  }
  const first = concatenated(intervals.map((part) => part.first));
  const last = concatenated(intervals.map((part) => part.last));
  return [{ key: first, ...(form.isInterval && { keyEnd: last }), ...withVerdict(verdict) }];
}

function withVerdict(verdict: Verdict | undefined): { readonly verdict?: Verdict } {
  return verdict === undefined ? {} : { verdict };
}

function readPart({ types, isInterval }: SetForm, text: string, index: number): Interval {
  const type = types[index];
  const value = type?.parse(text);
  if (value) return { first: value, last: value };
  const interval = isInterval && type ? parseInterval(text, type) : undefined;
  if (interval) return interval;
  const what = `${type?.what}${isInterval ? ', or a prefix or range of them' : ''}`;
  throw new NftError(`element ${JSON.stringify(text)}: not ${what}`);
}

/** The list of a message is an attribute, whose length has 16 bits. */
const LIST_OCTETS = 60_000;

/**
 * Writes as many messages as elements need.
 *
 * @param place.id Of a set without a name.
 */
export function writeElements(
  writer: MessageWriter,
  place: SetPlace & { readonly id?: number },
  type: 'add' | 'remove',
  elements: readonly RawElement[],
): void {
  for (let next = 0; next < elements.length; ) {
    const flags = type === 'add' ? CREATE : 0;
    beginMessage(writer, type === 'add' ? NFT_MSG.newElement : NFT_MSG.delElement, {
      family: place.family,
      flags,
    });
    writer.attributeText(ELEMENT_LIST.table, place.table);
    writer.attributeText(ELEMENT_LIST.set, place.set);
    if (place.id !== undefined) writer.attributeBig32(ELEMENT_LIST.setId, place.id);
    writer.nest(ELEMENT_LIST.elements | NESTED, () => {
      const end = writer.length + LIST_OCTETS;
      for (; next < elements.length && writer.length < end; next++) {
        writeElement(writer, elements[next] as RawElement);
      }
    });
    writer.end();
  }
}

function writeElement(writer: MessageWriter, element: RawElement): void {
  const { key, keyEnd, isEnd, verdict } = element;
  writer.nest(LIST_ELEMENT | NESTED, () => {
    if (isEnd) writer.attributeBig32(ELEMENT.flags, ELEMENT_INTERVAL_END);
    writer.nest(ELEMENT.key | NESTED, () => writer.attributeBytes(DATA.value, key));
    if (keyEnd) {
      writer.nest(ELEMENT.keyEnd | NESTED, () => writer.attributeBytes(DATA.value, keyEnd));
    }
    if (verdict) writer.nest(ELEMENT.data | NESTED, () => writeVerdict(writer, verdict));
  });
}

/** Removes all elements. */
export function writeSetFlush(writer: MessageWriter, { family, table, set }: SetPlace): void {
  beginMessage(writer, NFT_MSG.delElement, { family, flags: 0 });
  writer.attributeText(ELEMENT_LIST.table, table);
  writer.attributeText(ELEMENT_LIST.set, set);
  writer.end();
}

export function writeElementDump(writer: MessageWriter, { family, table, set }: SetPlace): void {
  beginMessage(writer, NFT_MSG.getElement, { family, flags: DUMP });
  writer.attributeText(ELEMENT_LIST.table, table);
  writer.attributeText(ELEMENT_LIST.set, set);
  writer.end();
}

/** Reads the body of NFT_MSG_NEWSETELEM. @param visit Is given views, valid during the call. */
export function readElements(message: Message, visit: (element: RawElement) => void): void {
  const attributes = new Attributes(message, message.start + GENERIC_OCTETS, message.end);
  while (attributes.next()) {
    if (attributes.type !== ELEMENT_LIST.elements) continue;
    const list = attributes.nested();
    while (list.next()) visit(readElement(list.nested()));
  }
}

function readElement(attributes: Attributes): RawElement {
  let [key, flags]: [Uint8Array, number] = [new Uint8Array(), 0];
  let keyEnd: Uint8Array | undefined;
  let verdict: Verdict | undefined;
  while (attributes.next()) {
    if (attributes.type === ELEMENT.key) key = readValue(attributes.nested());
    else if (attributes.type === ELEMENT.keyEnd) keyEnd = readValue(attributes.nested());
    else if (attributes.type === ELEMENT.flags) flags = attributes.big32();
    else if (attributes.type === ELEMENT.data) verdict = readVerdict(attributes.nested());
  }
  const isEnd = (flags & ELEMENT_INTERVAL_END) !== 0;
  return { key, isEnd, ...(keyEnd && { keyEnd }), ...withVerdict(verdict) };
}

function readValue(data: Attributes): Uint8Array {
  return data.next() && data.type === DATA.value ? data.octets() : new Uint8Array();
}

function readVerdict(data: Attributes): Verdict | undefined {
  if (!data.next() || data.type !== DATA.verdict) return undefined;
  const fields = data.nested();
  let verdict: Verdict = { code: 0 };
  while (fields.next()) {
    if (fields.type === VERDICT.code) verdict = { ...verdict, code: fields.big32() | 0 };
    else if (fields.type === VERDICT.chain) verdict = { ...verdict, chain: fields.text() };
  }
  return verdict;
}

/** Elements of a set as text, taken as the kernel lists them, in any order. */
export class ElementTexts {
  readonly #form: SetForm;
  readonly #texts = new Map<string, string | undefined>();
  /** Of a set of intervals: starts and ends, which belong together only when all are there. */
  readonly #bounds: RawElement[] = [];

  constructor(form: SetForm) {
    this.#form = form;
  }

  /** Elements so far; those of a set of intervals are put together at the end. */
  get size(): number {
    return this.#texts.size;
  }

  take(element: RawElement): void {
    const { types, isInterval } = this.#form;
    const { key, keyEnd = key, verdict } = element;
    const [only] = types;
    if (types.length > 1 || !only) {
      this.#put(concatenationText(this.#form, { first: key, last: keyEnd }), verdict);
    } else if (isInterval) {
      this.#bounds.push({ ...element, key: key.slice() });
    } else {
      this.#put(only.print(key), verdict);
    }
  }

  /** Canonical keys to verdicts. */
  all(): ReadonlyMap<string, string | undefined> {
    const [only] = this.#form.types;
    if (only) {
      for (const { interval, verdict } of intervalsOf(this.#bounds, only.octets)) {
        this.#put(printInterval(interval, only), verdict);
      }
    }
    return this.#texts;
  }

  #put(key: string, verdict: Verdict | undefined): void {
    this.#texts.set(key, verdict && verdictText(verdict));
  }
}

function concatenationText({ types }: SetForm, { first, last }: Interval): string {
  let at = 0;
  return types
    .map((type) => {
      const [from, to] = [at, at + type.octets];
      at += padded(type.octets);
      const part = { first: first.subarray(from, to), last: last.subarray(from, to) };
      return printInterval(part, type);
    })
    .join(' . ');
}

/** Starts and ends, put together. */
function* intervalsOf(
  raw: readonly RawElement[],
  octets: number,
): Generator<{ readonly interval: Interval; readonly verdict: Verdict | undefined }> {
  // Where one interval ends another may start: the end comes first.
  const bounds = raw.toSorted(
    (a, b) => compareOctets(a.key, b.key) || Number(b.isEnd) - Number(a.isEnd),
  );
  for (const [i, { key, isEnd, verdict }] of bounds.entries()) {
    if (isEnd) continue;
    const next = bounds[i + 1];
    const last = next ? predecessor(next.key) : new Uint8Array(octets).fill(0xff);
    yield { interval: { first: key, last }, verdict };
  }
}
