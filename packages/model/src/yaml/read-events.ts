import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import { type EventList, offsetOf } from './find-node.ts';
import { readPlainScalar } from './plain-scalar.ts';

/** Most levels of a value; the parser has the same limit for what is written out. */
export const MAX_DEPTH = 100;
/** Most aliases of a document, and most values that they may stand for: keeps out alias bombs. */
const MAX_ALIASES = 100;
const MAX_ALIASED_VALUES = 10_000;

/** What YAML allows and a manifest cannot hold. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
  /** Offset of what is wrong in the source. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** A document as JSON data. */
export interface DocumentValue {
  readonly value: unknown;
  /** Index of its first event. */
  readonly root: number;
}

/**
 * Makes JSON data of a parser's events: objects have texts as keys, none of them twice; integers that a number
 * cannot hold are bigints; aliases are copies. Nothing is left out or guessed.
 *
 * @throws {ContentError} At what JSON cannot say, or what is said too often.
 */
export function readEvents({ events, source }: EventList): DocumentValue[] {
  const documents: DocumentValue[] = [];
  for (let at = 0; at < events.length; ) {
    const reader = new DocumentReader(events, source, at);
    const document = reader.read();
    if (document) documents.push(document);
    at = reader.next;
  }
  return documents;
}

/** A value, how many values it is made of, and how many levels it has. */
interface Built {
  readonly value: unknown;
  readonly weight: number;
  readonly height: number;
}

const NOTHING = {};
const TAGS = new Map([
  ['!!str', 'string'],
  ['!!null', 'null'],
  ['!!bool', 'boolean'],
  ['!!int', 'integer'],
  ['!!float', 'number'],
]);

class DocumentReader {
  readonly #events: readonly Event[];
  readonly #source: string;
  readonly #anchors = new Map<string, Built | 'unfinished'>();
  #next: number;
  #aliases = 0;
  #aliasedValues = 0;

  constructor(events: readonly Event[], source: string, at: number) {
    this.#events = events;
    this.#source = source;
    this.#next = at + 1;
  }

  /** Index of the first event after the document. */
  get next(): number {
    return this.#next;
  }

  read(): DocumentValue | undefined {
    const first = this.#peek();
    if (first.type === EVENT_ID.POP) {
      this.#next++;
      return undefined;
    }
    const root = this.#next;
    const { value } = this.#value(1);
    this.#next++;
    return { value, root };
  }

  #value(depth: number): Built {
    const event = this.#peek();
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event, depth);
    const anchor = this.#anchorOf(event);
    if (anchor !== undefined) this.#anchors.set(anchor, 'unfinished');
    const built = this.#node(event, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, built);
    return built;
  }

  #node(event: Event, depth: number): Built {
    switch (event.type) {
      case EVENT_ID.SCALAR:
        this.#next++;
        return { value: this.#scalar(event), weight: 1, height: 1 };
      case EVENT_ID.SEQUENCE:
        this.#refuseTag(event, '!!seq');
        return this.#sequence(depth);
      case EVENT_ID.MAPPING:
        this.#refuseTag(event, '!!map');
        return this.#mapping(depth);
      default:
        throw new ContentError('expected a value', offsetOf(event));
    }
  }

  #sequence(depth: number): Built {
    this.#next++;
    const value: unknown[] = [];
    let [weight, height] = [1, 0];
    while (this.#peek().type !== EVENT_ID.POP) {
      const item = this.#value(depth + 1);
      value.push(item.value);
      weight += item.weight;
      height = Math.max(height, item.height);
    }
    this.#next++;
    return { value, weight, height: height + 1 };
  }

  #mapping(depth: number): Built {
    this.#next++;
    const fields = new Map<string, unknown>();
    let merged: Built | undefined;
    let [weight, height] = [1, 0];
    for (let event = this.#peek(); event.type !== EVENT_ID.POP; event = this.#peek()) {
      const key = this.#key(event);
      const isMerge = key === '<<' && isPlain(event);
      if (isMerge ? merged !== undefined : fields.has(key)) {
        throw new ContentError(`the key ${JSON.stringify(key)} stands twice`, offsetOf(event));
      }
      const item = this.#value(depth + 1);
      weight += item.weight;
      height = Math.max(height, item.height);
      if (isMerge) merged = this.#mergeSource(item, event);
      else fields.set(key, item.value);
    }
    this.#next++;
    for (const [key, item] of Object.entries(merged?.value ?? NOTHING)) {
      if (!fields.has(key)) fields.set(key, item);
    }
    return { value: Object.fromEntries(fields), weight, height: height + 1 };
  }

  #key(event: Event): string {
    const { value } = this.#value(MAX_DEPTH);
    if (typeof value === 'string') return value;
    const message =
      event.type === EVENT_ID.SCALAR
        ? `a key must be a text: write ${JSON.stringify(getScalarValue(this.#source, event))}, in quotes`
        : 'a key must be a text';
    throw new ContentError(message, offsetOf(event));
  }

  /** What `<<` brings in: of several objects, the first that has a key counts. */
  #mergeSource({ value, ...size }: Built, event: Event): Built {
    const sources = Array.isArray(value) ? value : [value];
    const fields = new Map<string, unknown>();
    for (const source of sources) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        throw new ContentError('<< must name an object, or a list of them', offsetOf(event));
      }
      for (const [key, item] of Object.entries(source)) {
        if (!fields.has(key)) fields.set(key, item);
      }
    }
    return { value: Object.fromEntries(fields), ...size };
  }

  #alias(event: Event & { anchorStart: number; anchorEnd: number }, depth: number): Built {
    this.#next++;
    const name = this.#source.slice(event.anchorStart, event.anchorEnd);
    const offset = offsetOf(event);
    const built = this.#anchors.get(name);
    if (built === undefined)
      throw new ContentError(`*${name} stands for nothing: no &${name} is before it`, offset);
    if (built === 'unfinished')
      throw new ContentError(`*${name} stands inside of what it stands for`, offset);
    this.#aliases++;
    this.#aliasedValues += built.weight;
    if (this.#aliases > MAX_ALIASES)
      throw new ContentError(`more than ${MAX_ALIASES} aliases`, offset);
    if (this.#aliasedValues > MAX_ALIASED_VALUES) {
      throw new ContentError(`aliases stand for more than ${MAX_ALIASED_VALUES} values`, offset);
    }
    if (depth + built.height - 1 > MAX_DEPTH) {
      throw new ContentError(
        `more than ${MAX_DEPTH} levels, with what *${name} stands for`,
        offset,
      );
    }
    return { ...built, value: copy(built.value) };
  }

  #scalar(event: ScalarEvent): unknown {
    const text = getScalarValue(this.#source, event);
    const hasTag = event.tagStart >= 0;
    const tag = hasTag ? this.#source.slice(event.tagStart, event.tagEnd) : '';
    if (hasTag && !TAGS.has(tag)) throw this.#tagError(tag, event);
    if (tag === '!!str' || (!hasTag && event.style !== SCALAR_STYLE.PLAIN)) return text;
    const reading = readPlainScalar(text);
    if ('refused' in reading) throw new ContentError(reading.refused, offsetOf(event));
    const { value } = reading;
    if (hasTag && !isOfTag(value, tag)) {
      throw new ContentError(`this is no ${tag}`, offsetOf(event));
    }
    return value;
  }

  #refuseTag(event: { tagStart: number; tagEnd: number } & Event, allowed: string): void {
    const tag = this.#source.slice(event.tagStart, event.tagEnd);
    if (event.tagStart >= 0 && tag !== allowed) throw this.#tagError(tag, event);
  }

  #tagError(tag: string, event: Event): ContentError {
    const shown = tag.length > 40 ? `${tag.slice(0, 40)}…` : tag;
    return new ContentError(`a manifest has no values of the type ${shown}`, offsetOf(event));
  }

  #anchorOf(event: Event): string | undefined {
    if (!('anchorStart' in event) || event.anchorStart < 0) return undefined;
    return this.#source.slice(event.anchorStart, event.anchorEnd);
  }

  #peek(): Event {
    return this.#events[this.#next] ?? { type: EVENT_ID.POP };
  }
}

function isPlain(event: Event): boolean {
  return event.type === EVENT_ID.SCALAR && event.style === SCALAR_STYLE.PLAIN && event.tagStart < 0;
}

function isOfTag(value: unknown, tag: string): boolean {
  switch (TAGS.get(tag)) {
    case 'null':
      return value === null;
    case 'integer':
      return typeof value === 'bigint' || Number.isSafeInteger(value);
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint';
    default:
      return typeof value === TAGS.get(tag);
  }
}

/** A copy that shares nothing. */
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
}
