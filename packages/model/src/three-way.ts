import { isJsonObject, sameJson } from './json.ts';

/**
 * Which fields somebody stated: `true` where a value was (a scalar or a whole list), an object of them where
 * an object was. Lists are one value: their order or their completeness means something in every kind.
 */
export type Stated = true | { readonly [field: string]: Stated };

/** What a manifest came to when it was applied: enough to tell later which fields of the object were its. */
export interface AppliedFields {
  readonly stated: Stated;
  /** Values that nobody stated: defaults, and what follows from other fields. */
  readonly filled: unknown;
}

/** A manifest as it was written, and as it was read: defaults and what follows from other fields filled in. */
export interface Statement {
  readonly written: unknown;
  readonly complete: unknown;
}

/** Takes apart what a manifest states and what was filled in for it. Holds no value that was stated. */
export function appliedFields({ written, complete }: Statement): AppliedFields {
  return { stated: statedFields(written) ?? {}, filled: withoutStated(written, complete) ?? {} };
}

/**
 * What an object becomes when a manifest is applied to it: fields that the manifest states are as stated; fields
 * that the one applied before stated, and this one does not, are as if nobody had (absent or default); values that
 * were filled in follow the manifest as long as nobody has changed them; everything else is left as it stands.
 *
 * @param before What was applied last. `stated: true` anywhere in it lets the manifest take the whole part's place.
 * @param live The object as it is.
 */
export function threeWayMerge(before: AppliedFields, live: unknown, next: Statement): unknown {
  const { written, complete } = next;
  return merge(before, live, { stated: statedFields(written), complete });
}

function merge(
  { stated: was, filled }: { readonly stated: Stated | undefined; readonly filled: unknown },
  live: unknown,
  { stated, complete }: { readonly stated: Stated | undefined; readonly complete: unknown },
): unknown {
  if (stated === true) return complete;
  const isObject = isJsonObject(live);
  // Where not both are objects there are no parts to merge: one is taken whole.
  if (!isObject || (complete !== undefined && !isJsonObject(complete))) {
    if (stated !== undefined || was !== undefined) return complete;
    return live === undefined || sameJson(live, filled) ? complete : live;
  }
  if (was === true) return complete;
  const wanted = isJsonObject(complete) ? complete : {};
  const entries = [...new Set([...Object.keys(live), ...Object.keys(wanted)])].flatMap((key) => {
    const value = merge(
      { stated: fieldOf(was, key), filled: fieldOf(filled, key) },
      ownOf(live, key),
      {
        stated: fieldOf(stated, key),
        complete: ownOf(wanted, key),
      },
    );
    return value === undefined ? [] : [[key, value] as const];
  });
  // An object that a manifest made, and of which nothing is left, goes; one that was empty before stays.
  const isLeft = entries.length > 0 || stated !== undefined || Object.keys(live).length === 0;
  return isLeft ? Object.fromEntries(entries) : complete;
}

/** Null is Go's absent: it states nothing. */
function statedFields(written: unknown): Stated | undefined {
  if (written === null || written === undefined) return undefined;
  if (!isJsonObject(written)) return true;
  const fields: [string, Stated][] = [];
  for (const key of Object.keys(written)) {
    const stated = statedFields(written[key]);
    if (stated !== undefined) fields.push([key, stated]);
  }
  return Object.fromEntries(fields);
}

function withoutStated(written: unknown, complete: unknown): unknown {
  if (written === null || written === undefined) return complete;
  if (!isJsonObject(written) || !isJsonObject(complete)) return undefined;
  const rest: [string, unknown][] = [];
  for (const key of Object.keys(complete)) {
    const left = withoutStated(ownOf(written, key), complete[key]);
    if (left !== undefined) rest.push([key, left]);
  }
  return rest.length > 0 ? Object.fromEntries(rest) : undefined;
}

function fieldOf<T>(value: T | undefined, key: string): T | undefined {
  return isJsonObject(value) ? (ownOf(value, key) as T | undefined) : undefined;
}

/** Names come from manifests, and may be `constructor`. */
function ownOf(object: { readonly [key: string]: unknown }, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
