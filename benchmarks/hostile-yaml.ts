/**
 * How soon are hostile manifests refused, and how long do large good ones take?
 *
 *   node --conditions=@overland/source benchmarks/hostile-yaml.ts [ROUNDS]
 *
 * Runs `overland validate -f FILE` in this process: finding, reading, parsing, judging and printing.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { coloursFor, runProgram } from '@overland/cli';

const ROUNDS = Number(process.argv[2] ?? 7);
const BAR_MS = 100;

const many = (count: number, make: (i: number) => string, between = '\n'): string =>
  Array.from({ length: count }, (_, i) => make(i)).join(between);
const bomb = (open: string, close: string): string =>
  many(
    9,
    (i) =>
      `${'bcdefghij'[i]}: &${'bcdefghij'[i]} ${open}${`*${'abcdefghij'[i]},`.repeat(9)}${close}`,
  );
const pool = (i: number, spec = 'cidr: 10.65.0.0/16'): string =>
  `apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata:\n  name: pool-${i}\nspec:\n  ${spec}\n`;
const endpoint = (i: number): string =>
  `- apiVersion: projectcalico.org/v3
  kind: WorkloadEndpoint
  metadata:
    name: h1-cni-c${i}-eth0
    namespace: default
    labels: {app: web, tier: front}
  spec:
    orchestrator: cni
    node: h1
    containerID: c${i}
    endpoint: eth0
    ipNetworks: [10.65.0.1/32]`;

const HOSTILE: Readonly<Record<string, string>> = {
  'alias bomb': `a: &a [x,x,x,x,x,x,x,x,x]\n${bomb('[', ']')}`,
  'alias bomb of merges': `a: &a {x: 1}\n${bomb('{<<: [', ']}')}`,
  '20,000 anchors and aliases': many(20_000, (i) => `k${i}: &a${i} x\nl${i}: *a${i}`),
  'anchor of a huge object': `a: &a {${many(50_000, (i) => `k${i}: 1`, ', ')}}\nb: *a\nc: *a`,
  '50 MB': 'x'.repeat(50e6),
  '50 MB of documents': pool(1).concat('---\n').repeat(440_000),
  '4 MB of open brackets': '['.repeat(4e6),
  '100,000 open brackets': '['.repeat(1e5),
  '100,000 open braces': '{a: '.repeat(1e5),
  '100,000 dashes': '- '.repeat(1e5),
  '10,000 levels of indentation': many(2000, (i) => `${' '.repeat(i)}a:`),
  'duplicate key': pool(1, 'cidr: 10.0.0.0/16\n  cidr: 10.1.0.0/16'),
  'duplicate key after 50,000 others': `${many(50_000, (i) => `k${i}: 1`)}\nk1: 2`,
  'wrong types': pool(
    1,
    'cidr: [1]\n  blockSize: {a: b}\n  natOutgoing: 7\n  nodeSelector: [[[]]]',
  ),
  'wrong types, 10,000 fields': pool(
    1,
    many(10_000, (i) => `k${i}: [${i}]`, '\n  '),
  ),
  '10,000 documents that are no manifests': 'a: 1\n---\n'.repeat(10_000),
  '10,000 documents that are no YAML': 'a: [\n---\n'.repeat(10_000),
  'a line of 4 MB, not closed': `a: "${'x'.repeat(4e6)}`,
  'a list of 190,000, not closed': `[${'1, '.repeat(190_000)}`,
  NULs: 'a: \0'.repeat(1e5),
  tabs: 'a:\n\tb: 1\n'.repeat(50_000),
  tags: 'a: !!binary aGk=\n'.repeat(50_000),
};

const GOOD: Readonly<Record<string, string>> = {
  '1,000 documents': many(1000, (i) => pool(i), '---\n'),
  'a List of 1,000': `kind: List\nitems:\n${many(1000, endpoint)}`,
  'a List of 10,000': `kind: List\nitems:\n${many(10_000, endpoint)}`,
};

const directory = mkdtempSync(join(tmpdir(), 'overland-hostile-'));

async function validate(file: string): Promise<{ code: number; out: string; took: number }> {
  let out = '';
  const sink = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      if (out.length < 1000) out += String(chunk);
      done();
    },
  });
  const started = performance.now();
  const code = await runProgram(['validate', '-f', file], {
    stdin: Readable.from([]),
    stdout: sink,
    stderr: sink,
    signal: new AbortController().signal,
    env: {},
    workingDirectory: directory,
    isRoot: false,
    isInteractive: false,
    colours: coloursFor({}, {}),
  });
  return { code, out, took: performance.now() - started };
}

async function measure(inputs: Readonly<Record<string, string>>, wanted: number): Promise<void> {
  for (const [name, text] of Object.entries(inputs)) {
    writeFileSync(join(directory, 'input.yaml'), text);
    const times: number[] = [];
    let last = { code: -1, out: '' };
    for (let round = 0; round < ROUNDS; round++) {
      const { took, ...outcome } = await validate('input.yaml');
      times.push(took);
      last = outcome;
    }
    if (last.code !== wanted) throw new Error(`${name}: exit code ${last.code}`);
    const sorted = times.toSorted((a, b) => a - b);
    const [best = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
    const late = wanted === 2 && median > BAR_MS ? ' *' : '';
    const said = last.out.split('\n')[0]?.slice(0, 90) ?? '';
    console.log(
      `${median.toFixed(1).padStart(8)} ${best.toFixed(1).padStart(8)}${late.padEnd(2)} ${(text.length / 1e6).toFixed(2).padStart(6)}  ${name.padEnd(38)} ${said}`,
    );
  }
}

try {
  await validate('none.yaml'); // loads the command
  for (let i = 0; i < 3; i++) await measure({ warm: pool(1) }, 0);
  console.log(
    `\nmedian ms  best ms  Mchars  refused (* median over ${BAR_MS} ms)${' '.repeat(15)} what is said first`,
  );
  await measure(HOSTILE, 2);
  console.log('\nmedian ms  best ms  Mchars  taken');
  await measure(GOOD, 0);
} finally {
  rmSync(directory, { recursive: true });
}
