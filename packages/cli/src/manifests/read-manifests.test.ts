import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../command.ts';
import { readManifests } from './read-manifests.ts';

let directory = '';

/** Writes files below the working directory; `null` makes a directory. */
async function make(files: Readonly<Record<string, string | Uint8Array | null>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(content === null ? path : join(path, '..'), { recursive: true });
    if (content !== null) await writeFile(path, content);
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'overland-manifests-'));
  await make({
    'rack/b.yaml': 'b: 1\n---\nb: 2\n',
    'rack/a.json': '{"a": 1}',
    'rack/c.yml': 'kind: List\nitems: [{c: 1}, {c: 2}]\n',
    'rack/README.md': 'no: manifest',
    'rack/.hidden.yaml': 'no: manifest',
    'rack/below/d.yaml': 'd: 1',
    'rack/.git/e.yaml': 'no: manifest',
    'empty/.keep': '',
    'comments.yaml': '# nothing\n---\n',
    'half.yaml': 'a: 1\n---\nb: [\n---\nc: 3\n',
    'bom.yaml': Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x3a, 0x20, 0x31),
    'latin1.yaml': Uint8Array.of(0x61, 0x3a, 0x20, 0xe4),
    'long.yaml': '',
  });
  await truncate(join(directory, 'long.yaml'), 50e6);
  await symlink('../rack/a.json', join(directory, 'empty', 'lost.txt'));
});
afterAll(() => rm(directory, { recursive: true }));

interface Asked {
  readonly recursive?: boolean;
  readonly skipEmpty?: boolean;
  readonly stdin?: string;
}

/** `file#index@line value`, or the message, for each document. */
async function read(
  filename: readonly string[],
  { recursive = false, skipEmpty = false, stdin = '' }: Asked = {},
): Promise<string[]> {
  const context = {
    stdin: Readable.from([Buffer.from(stdin)]),
    workingDirectory: directory,
    signal: new AbortController().signal,
  };
  const lines: string[] = [];
  for await (const document of readManifests({ filename, recursive, skipEmpty }, context)) {
    const { file, index, line } = document;
    const what = 'error' in document ? document.error.message : JSON.stringify(document.value);
    lines.push(`${file}#${index}@${line} ${what}`);
  }
  return lines;
}

test('files in the order given, those of a directory in the order of their names', async () => {
  expect(await read(['bom.yaml', 'rack'])).toEqual([
    'bom.yaml#0@1 {"a":1}',
    'rack/a.json#0@1 {"a":1}',
    'rack/b.yaml#0@1 {"b":1}',
    'rack/b.yaml#1@3 {"b":2}',
    expect.stringMatching(/^rack\/c.yml#0@\d {"c":1}/),
    expect.stringMatching(/^rack\/c.yml#1@\d {"c":2}/),
  ]);
});

test('-R takes directories with those in them, hidden ones left out', async () => {
  const files = (await read(['./rack'], { recursive: true })).map((line) => line.split('#')[0]);
  expect(new Set(files)).toEqual(
    new Set(['rack/a.json', 'rack/b.yaml', 'rack/below/d.yaml', 'rack/c.yml']),
  );
});

test('- is standard input', async () => {
  expect(await read(['-', 'bom.yaml'], { stdin: '{"x": [1]}' })).toEqual([
    '-#0@1 {"x":[1]}',
    'bom.yaml#0@1 {"a":1}',
  ]);
  await expect(read(['-', '-'])).rejects.toThrow('can be given once');
});

test('a document with a mistake does not stop the others', async () => {
  expect(await read(['half.yaml', 'latin1.yaml', 'bom.yaml'])).toEqual([
    'half.yaml#0@1 {"a":1}',
    expect.stringMatching(/^half.yaml#1@\d line \d, column \d: /),
    'half.yaml#2@5 {"c":3}',
    'latin1.yaml#0@1 is not UTF-8 text',
    'bom.yaml#0@1 {"a":1}',
  ]);
});

test.each([
  ['comments.yaml', 'holds no manifest'],
  ['empty', 'holds no .yaml, .yml or .json file'],
])('%s without a manifest is a mistake unless --skip-empty is given', async (name, message) => {
  expect(await read([name])).toEqual([expect.stringContaining(message)]);
  expect(await read([name], { skipEmpty: true })).toEqual([]);
});

test('what is too long is not read: a file by its size, a device when it is enough', async () => {
  expect(await read(['long.yaml'])).toEqual([
    'long.yaml#0@1 is longer than 4194304 bytes (50000000): split the file',
  ]);
  expect(await read(['/dev/zero'])).toEqual([
    '/dev/zero#0@1 is longer than 4194304 bytes: split the file',
  ]);
});

test.each([
  [['bom.yaml', 'none.yaml'], 'there is no file or directory none.yaml'],
  [['bom.yaml/x'], 'there is no file or directory bom.yaml/x'],
  [[], 'give -f FILE'],
])('%j is refused before anything is read', async (filename, message) => {
  const refused = read(filename);
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(message);
});

test('a file that vanishes after it was listed is an error in its place', async () => {
  await make({ 'links/b.yaml': 'b: 1' });
  await symlink('gone.yaml', join(directory, 'links', 'a.yaml'));
  expect(await read(['links'])).toEqual([
    'links/a.yaml#0@1 cannot be read: ENOENT',
    'links/b.yaml#0@1 {"b":1}',
  ]);
});
