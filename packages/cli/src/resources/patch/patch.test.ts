import { describe, expect, test } from 'vitest';
import { jsonPatch } from './json-patch.ts';
import { mergePatch } from './merge-patch.ts';
import { strategicPatch } from './strategic-patch.ts';

describe('JSON Merge Patch', () => {
  /** The table of RFC 7386, appendix A. */
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected);
  });
});

describe('JSON Patch', () => {
  /** RFC 6902, appendix A, and the rules of section 4. */
  test.each([
    [
      'A.1',
      { foo: 'bar' },
      [{ op: 'add', path: '/baz', value: 'qux' }],
      { baz: 'qux', foo: 'bar' },
    ],
    ['A.2', { foo: [1, 2] }, [{ op: 'add', path: '/foo/1', value: 9 }], { foo: [1, 9, 2] }],
    ['A.3', { baz: 1, foo: 2 }, [{ op: 'remove', path: '/baz' }], { foo: 2 }],
    ['A.4', { foo: [1, 2, 3] }, [{ op: 'remove', path: '/foo/1' }], { foo: [1, 3] }],
    ['A.5', { baz: 1 }, [{ op: 'replace', path: '/baz', value: 2 }], { baz: 2 }],
    [
      'A.6',
      { foo: { bar: 1 }, qux: {} },
      [{ op: 'move', from: '/foo/bar', path: '/qux/thud' }],
      { foo: {}, qux: { thud: 1 } },
    ],
    [
      'A.7',
      { foo: [1, 2, 3] },
      [{ op: 'move', from: '/foo/0', path: '/foo/2' }],
      { foo: [2, 3, 1] },
    ],
    [
      'A.8',
      { baz: 'q', foo: ['a', 2] },
      [{ op: 'test', path: '/foo/1', value: 2 }],
      { baz: 'q', foo: ['a', 2] },
    ],
    [
      'A.10',
      { foo: 1 },
      [{ op: 'add', path: '/child', value: { a: {} } }],
      { foo: 1, child: { a: {} } },
    ],
    ['A.14', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    [
      'A.16',
      { foo: ['bar'] },
      [{ op: 'add', path: '/foo/-', value: ['abc'] }],
      { foo: ['bar', ['abc']] },
    ],
    ['the whole', { a: 1 }, [{ op: 'replace', path: '', value: 3 }], 3],
    [
      'copy',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    [
      '__proto__',
      {},
      [{ op: 'add', path: '/__proto__', value: { x: 1 } }],
      JSON.parse('{"__proto__":{"x":1}}'),
    ],
  ])('%s', (_name, target, patch, expected) => {
    const before = structuredClone(target);
    expect(jsonPatch(target, patch)).toEqual(expected);
    expect(target).toEqual(before);
  });

  test.each([
    [[{ op: 'test', path: '/a', value: 2 }], 'operation 1 (test /a): something else stands there'],
    [[{ op: 'add', path: '/b/c', value: 2 }], 'operation 1 (add /b/c): there is no b'],
    [[{ op: 'remove', path: '/none' }], 'there is no none'],
    [[{ op: 'remove', path: '/l/1' }], '1 is no index of the list'],
    [[{ op: 'add', path: '/l/01', value: 1 }], '01 is no index of the list'],
    [[{ op: 'add', path: '/a/b', value: 1 }], 'no object or list to add to'],
    [[{ op: 'move', from: '/o', path: '/o/x' }], 'cannot be moved into itself'],
    [[{ op: 'spin', path: '/a' }], 'op must be one of'],
    [[{ op: 'add', path: 'a', value: 1 }], 'path must be a JSON pointer'],
    [[{ op: 'copy', path: '/a' }], 'from must be a JSON pointer'],
    [[{ op: 'add', path: '/a' }], 'value is missing'],
    [['x'], 'op must be one of'],
    [{ op: 'add' }, 'a JSON patch is a list'],
    [[{ op: 'remove', path: '/constructor' }], 'there is no constructor'],
  ])('refuses %j', (patch, message) => {
    expect(() => jsonPatch({ a: 1, l: [0], o: {} }, patch)).toThrow(message);
  });
});

describe('strategic merge', () => {
  test.each([
    [{ a: { b: 1, c: 2 } }, { a: { b: null, d: 3 } }, { a: { c: 2, d: 3 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
    [{ a: { b: 1 }, d: 1 }, { a: { $patch: 'delete' } }, { d: 1 }],
    [
      { metadata: { finalizers: ['x'] } },
      { metadata: { finalizers: ['y', 'x'] } },
      { metadata: { finalizers: ['x', 'y'] } },
    ],
    [
      { metadata: { ownerReferences: [{ uid: '1', a: 1 }, { uid: '2' }] } },
      { metadata: { ownerReferences: [{ uid: '1', b: 1 }] } },
      { metadata: { ownerReferences: [{ uid: '2' }, { uid: '1', b: 1 }] } },
    ],
  ])('%j with %j is %j', (target, patch, expected) => {
    expect(strategicPatch(target, patch)).toEqual(expected);
  });

  test.each([
    [{ '$setElementOrder/x': [] }, 'the directive $setElementOrder/x is not supported'],
    [{ a: { $retainKeys: [] } }, 'the directive $retainKeys is not supported'],
    [{ $patch: 'spin' }, '$patch must be replace, delete or merge'],
  ])('refuses %j', (patch, message) => {
    expect(() => strategicPatch({}, patch)).toThrow(message);
  });
});
