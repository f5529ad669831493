import fc from 'fast-check';

/** One change of a JSON value, anywhere in it. */
export interface Edit {
  /** Which place, modulo how many there are. */
  readonly at: number;
  readonly change:
    | 'replace'
    | 'remove'
    | 'repeat'
    | 'wrap'
    | 'rename'
    | 'add'
    | 'nest'
    | 'transplant';
  /** Of the new key. */
  readonly key: string;
  readonly value: unknown;
}

/** Names that objects have without anybody giving them. */
const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length'];

/** Values that nearly fit somewhere, and values that fit nowhere. */
const values = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, 0, -0, -1, 1.5, 64512, 65536, 2 ** 53, 1e308, -1e-320, 10n ** 30n],
    ...[
      '',
      ' ',
      '0',
      '\0',
      '\u{1F600}',
      '\ud800',
      'ä',
      'x'.repeat(300),
      'default',
      'all()',
      'global()',
    ],
    ...[
      "a == 'b'",
      '10.0.0.0/16',
      '10.0.0.1',
      'fd00::/48',
      '1.10',
      '80:90',
      'TCP',
      'tcp',
      '3s',
      '(hidden)',
    ],
    ...[
      'Always',
      'Enabled',
      'projectcalico.org/v3',
      'yes',
      '~',
      '<<',
      '*a',
      '{}',
      'a: b',
      '- a',
      '#',
    ],
    ...INHERITED,
  ),
  fc.constantFrom<unknown>([], {}, [null], [[]], { a: {} }, { name: 'x' }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Changes of a manifest: `fields` are names to add and rename to. */
export function edits(fields: readonly string[]): fc.Arbitrary<Edit[]> {
  const edit = fc.record({
    at: fc.nat(10_000),
    change: fc.constantFrom<Edit['change']>(
      ...(['replace', 'replace', 'replace', 'remove', 'repeat', 'wrap'] as const),
      ...(['rename', 'add', 'nest', 'transplant'] as const),
    ),
    key: fc.constantFrom(...fields, ...INHERITED, '', 'a/b', 'x'.repeat(400), '\u2028'),
    value: values,
  });
  return fc.array(edit, { maxLength: 4 });
}

/** `root` with the changes, one after the other. Nothing of `root` is changed. */
export function applyEdits(root: unknown, changes: readonly Edit[]): unknown {
  return changes.reduce<unknown>((value, change) => {
    const places = count(value);
    return rewrite(
      value,
      { next: change.at % places, other: (change.at * 7) % places, root: value },
      change,
    );
  }, root);
}

interface Cursor {
  /** How many places are still to be passed. */
  next: number;
  readonly other: number;
  readonly root: unknown;
}

function rewrite(value: unknown, cursor: Cursor, edit: Edit): unknown {
  if (cursor.next-- === 0) return changed(value, cursor, edit);
  if (Array.isArray(value)) return value.map((item) => rewrite(item, cursor, edit));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => {
      const isHere = cursor.next === 0;
      if (isHere && edit.change === 'remove') {
        cursor.next--;
        return [];
      }
      const fresh = rewrite(item, cursor, edit);
      return [[isHere && edit.change === 'rename' ? edit.key : key, fresh]];
    }),
  );
}

function changed(value: unknown, cursor: Cursor, { change, key, value: given }: Edit): unknown {
  switch (change) {
    case 'replace':
      return given;
    case 'repeat':
      return Array.isArray(value) ? [...value, ...value, ...value] : [value, value];
    case 'wrap':
      return { [key]: value };
    case 'add':
      if (Array.isArray(value)) return [...value, given];
      return typeof value === 'object' && value !== null
        ? Object.fromEntries([...Object.entries(value), [key, given]])
        : given;
    case 'nest':
      return nested(value, key === '' ? 150 : 70);
    case 'transplant':
      return pick(cursor.root, { next: cursor.other });
    default:
      return value;
  }
}

/** Far below many lists. */
export function nested(value: unknown, levels: number): unknown {
  let outer = value;
  for (let level = 0; level < levels; level++) outer = [outer];
  return outer;
}

function childrenOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function count(value: unknown): number {
  let places = 0;
  // Not recursive: values may be deeper than the stack.
  for (const open = [value]; open.length > 0; places++) open.push(...childrenOf(open.pop()));
  return places;
}

function pick(value: unknown, cursor: { next: number }): unknown {
  const open = [value];
  for (;;) {
    const one = open.pop();
    if (cursor.next-- === 0 || open.length === 0) return one;
    open.push(...childrenOf(one));
  }
}

/** Characters that mean something in YAML, and some that mean nothing good. */
const SPECIAL = [...':{}[],&*!|>\'"%@`#-?~<=.\\ \t\n\r\0\u0085\u2028\uFEFF\u{1F600}0123nye'];

/** Changes of a text: what is cut out at a place, and what is put there. */
export const textEdits = fc.array(
  fc.record({
    at: fc.nat(1_000_000),
    cut: fc.oneof(fc.constantFrom(0, 0, 1, 1, 2), fc.nat(40)),
    put: fc.oneof(
      fc.constantFrom('', ...SPECIAL),
      fc.array(fc.constantFrom(...SPECIAL), { maxLength: 6 }).map((some) => some.join('')),
      fc.constantFrom(
        '\n---\n',
        '\n...\n',
        '!!binary ',
        '&a ',
        '*a',
        '<<: ',
        '? ',
        '- ',
        '{a: ',
        ': |\n',
      ),
    ),
    repeat: fc.constantFrom(1, 1, 1, 2, 120),
  }),
  { minLength: 1, maxLength: 5 },
);

export function applyTextEdits(
  text: string,
  changes: readonly { at: number; cut: number; put: string; repeat: number }[],
): string {
  return changes.reduce((before, { at, cut, put, repeat }) => {
    const place = at % (before.length + 1);
    return before.slice(0, place) + put.repeat(repeat) + before.slice(place + cut);
  }, text);
}
