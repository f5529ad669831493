import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isJsonObject } from './json.ts';
import { appliedFields, type Statement, threeWayMerge } from './three-way.ts';

type Tree = { readonly [key: string]: unknown };

/** A manifest of a kind with the defaults `defaults`. */
function statement(written: Tree, defaults: Tree = {}): Statement {
  return { written, complete: fill(written, defaults) };
}

function fill(written: unknown, defaults: unknown): unknown {
  if (written === undefined || written === null) return defaults;
  if (!isJsonObject(written) || !isJsonObject(defaults)) return written;
  const keys = new Set([...Object.keys(defaults), ...Object.keys(written)]);
  return Object.fromEntries([...keys].map((key) => [key, fill(written[key], defaults[key])]));
}

describe('one field', () => {
  const defaults = { d: 'default' };
  const cases: [name: string, before: Tree, live: Tree, next: Tree, after: Tree][] = [
    ['stated now wins', { a: 1 }, { a: 9 }, { a: 2 }, { a: 2, d: 'default' }],
    ['stated before only goes', { a: 1 }, { a: 1 }, {}, { d: 'default' }],
    ['stated before only goes though others changed it', { a: 1 }, { a: 9 }, {}, { d: 'default' }],
    ['set by others stays', {}, { b: 7 }, { a: 2 }, { b: 7, a: 2, d: 'default' }],
    ['a default set by others stays', {}, { d: 'theirs' }, {}, { d: 'theirs' }],
    ['a default once stated comes back', { d: 'ours' }, { d: 'ours' }, {}, { d: 'default' }],
    ['null states nothing', { a: 1 }, { a: 1, b: 2 }, { a: null, b: null }, { b: 2, d: 'default' }],
    ['lists are one value', { l: [1] }, { l: [1, 2] }, { l: [3] }, { l: [3], d: 'default' }],
    ['lists of others stay whole', {}, { l: [1, 2] }, {}, { l: [1, 2], d: 'default' }],
    ['an object left empty goes', { o: { a: 1 } }, { o: { a: 1 } }, {}, { d: 'default' }],
    [
      'an object in which others set something stays',
      { o: { a: 1 } },
      { o: { a: 1, b: 2 } },
      {},
      { o: { b: 2 }, d: 'default' },
    ],
    [
      'maps are merged by key',
      { o: { a: 1, b: 1 } },
      { o: { a: 1, b: 1, c: 1 } },
      { o: { b: 2 } },
      { o: { b: 2, c: 1 }, d: 'default' },
    ],
    [
      'an object in the place of a value',
      { a: 1 },
      { a: 1 },
      { a: { b: 1 } },
      { a: { b: 1 }, d: 'default' },
    ],
    [
      'a value in the place of an object',
      { a: { b: 1 } },
      { a: { b: 1 } },
      { a: 1 },
      { a: 1, d: 'default' },
    ],
    ['names of Object.prototype', { constructor: 1 }, { constructor: 1 }, {}, { d: 'default' }],
  ];
  test.each(cases)('%s', (_name, ...[before, live, next, after]) => {
    const applied = appliedFields(statement(before, defaults));
    expect(threeWayMerge(applied, live, statement(next, defaults))).toEqual(after);
  });
});

test('what was filled in follows the manifest, unless somebody has changed it', () => {
  // As `types` of a policy, which says which lists of rules there are.
  const before = { written: { ingress: [] }, complete: { ingress: [], types: ['Ingress'] } };
  const written = { ingress: [], egress: [] };
  const next = { written, complete: { ...written, types: ['Ingress', 'Egress'] } };
  const applied = appliedFields(before);
  expect(threeWayMerge(applied, before.complete, next)).toEqual(next.complete);
  const changed = { ingress: [], types: [] };
  expect(threeWayMerge(applied, changed, next)).toEqual({ ...written, types: [] });
});

test('the record names fields and holds no value that was stated', () => {
  const complete = { spec: { password: 'secret', list: ['secret'], d: 1 } };
  const written = { spec: { password: 'secret', list: ['secret'] } };
  expect(appliedFields({ written, complete })).toEqual({
    stated: { spec: { password: true, list: true } },
    filled: { spec: { d: 1 } },
  });
});

describe('any manifests', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const scalar = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant('x'), fc.boolean());
  const leaf = fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }));
  const inner = fc.dictionary(key, leaf, { maxKeys: 3, noNullPrototype: true });
  /** `o` and `p` are objects wherever they are; the rest are values: as a schema would have it. */
  const tree = fc
    .tuple(inner, fc.option(inner, { nil: undefined }), fc.option(inner, { nil: undefined }))
    .map(([top, o, p]) => ({ ...top, ...(o && { o }), ...(p && { p }) }) as Tree);

  function leaves(value: unknown, path: readonly string[] = []): string[] {
    if (!isJsonObject(value)) return [path.join('.')];
    return Object.entries(value).flatMap(([name, item]) => leaves(item, [...path, name]));
  }
  function at(value: unknown, path: string): unknown {
    const steps = path.split('.');
    return steps.reduce<unknown>(
      (part, step) => (isJsonObject(part) ? part[step] : undefined),
      value,
    );
  }

  test('applying twice is applying once', () => {
    fc.assert(
      fc.property(tree, tree, tree, tree, (defaults, a, live, b) => {
        const next = statement(b, defaults);
        const once = threeWayMerge(appliedFields(statement(a, defaults)), live, next);
        expect(threeWayMerge(appliedFields(next), once, next)).toEqual(once);
      }),
    );
  });

  test('what is stated is so, and what was stated and is not any more is as if nobody had', () => {
    fc.assert(
      fc.property(tree, tree, tree, tree, (defaults, a, live, b) => {
        const next = statement(b, defaults);
        const result = threeWayMerge(appliedFields(statement(a, defaults)), live, next);
        for (const path of leaves(b)) expect(at(result, path)).toEqual(at(b, path));
        const taken = leaves(a).filter((path) => at(b, path) === undefined);
        for (const path of taken) expect(at(result, path)).toEqual(at(next.complete, path));
      }),
    );
  });

  test('what neither states stays as others have set it', () => {
    fc.assert(
      fc.property(tree, tree, tree, (a, live, b) => {
        const result = threeWayMerge(appliedFields(statement(a)), live, statement(b));
        const foreign = leaves(live).filter(
          (path) => at(a, path) === undefined && at(b, path) === undefined,
        );
        for (const path of foreign) expect(at(result, path)).toEqual(at(live, path));
      }),
    );
  });
});
