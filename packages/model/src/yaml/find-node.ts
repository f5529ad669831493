import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent } from 'js-yaml';
import type { Path } from '../validation.ts';

/** Finds nodes of a document among the parser's events: a node is named by the index of its first event. */
export interface EventList {
  readonly events: readonly Event[];
  readonly source: string;
}

/** Offset of an event's first character in the source; 0 for one that has none. */
export function offsetOf(event: Event): number {
  return placeIn(event) ?? 0;
}

/** `undefined` for what is not written at all, such as the item behind a dash alone. */
function placeIn(event: Event): number | undefined {
  const candidates = [
    'anchorStart' in event ? event.anchorStart - 1 : -1,
    'tagStart' in event ? event.tagStart : -1,
    'start' in event ? event.start : -1,
    'valueStart' in event ? event.valueStart - (isQuoted(event) ? 1 : 0) : -1,
  ].filter((offset) => offset >= 0);
  return candidates.length > 0 ? Math.min(...candidates) : undefined;
}

function isQuoted({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED;
}

/**
 * Where a reader looks for what stands at `path`: at its key, or its item of a list. Of what is not there, where
 * it would be: at the nearest thing around it.
 */
export function locate(list: EventList, root: number, path: Path): number {
  const placeOf = (index: number): number | undefined => {
    const event = list.events[index];
    return event && placeIn(event);
  };
  let [node, offset] = [root, placeOf(root) ?? 0];
  for (const step of path) {
    const inner = childAt(list, node, step);
    if (!inner) break;
    node = inner.node;
    offset = placeOf(inner.shown) ?? offset;
  }
  return offset;
}

/** The nodes in the list `items` of a node. */
export function itemNodes(list: EventList, root: number): number[] {
  const items = childAt(list, root, 'items');
  return items ? [...children(list.events, items.node)] : [];
}

interface Child {
  /** The node that a reader sees: the key of a field. */
  readonly shown: number;
  readonly node: number;
}

function childAt(
  { events, source }: EventList,
  parent: number,
  step: string | number,
): Child | undefined {
  const type = events[parent]?.type;
  if (type === EVENT_ID.SEQUENCE && typeof step === 'number') {
    let index = 0;
    for (const node of children(events, parent)) if (index++ === step) return { shown: node, node };
    return undefined;
  }
  if (type !== EVENT_ID.MAPPING) return undefined;
  const inside = children(events, parent);
  for (const key of inside) {
    const node = inside.next().value;
    const event = events[key];
    if (node === undefined || event?.type !== EVENT_ID.SCALAR) continue;
    if (getScalarValue(source, event) === String(step)) return { shown: key, node };
  }
  return undefined;
}

/** The nodes in a list, or keys and values of an object in turn. */
function* children(events: readonly Event[], parent: number): Generator<number, undefined> {
  for (let at = parent + 1; at < events.length && events[at]?.type !== EVENT_ID.POP; ) {
    yield at;
    at = after(events, at);
  }
}

/** The index behind a node. */
function after(events: readonly Event[], node: number): number {
  let level = 0;
  for (let at = node; at < events.length; at++) {
    const type = events[at]?.type;
    if (type === EVENT_ID.SEQUENCE || type === EVENT_ID.MAPPING) level++;
    if (type === EVENT_ID.POP) level--;
    if (level === 0) return at + 1;
  }
  return events.length;
}
