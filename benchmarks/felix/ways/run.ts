import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { fabric } from './fabric.ts';
import { type Figures, measure } from './measure.ts';
import { drawWays } from './plot.ts';
import { WAYS } from './ways.ts';

/**
 * Throughput, latency and CPU between two containers on two hosts behind a router: as Overland does it, through a bridge with NAT
 * as Docker does it, and through a VXLAN overlay; interleaved rounds, medians. Needs iperf3 and sockperf. As root:
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/felix/ways/run.ts [ROUNDS] [SECONDS] [FILE.svg]
 */

const [rounds, seconds] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 2)];
const [, , , , file] = process.argv;

const results = new Map<string, Figures[]>(WAYS.map(({ name }) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (const { name, build, target } of WAYS) {
    await using net = await fabric();
    await build(net);
    await net.left.container.exec(['ping', '-q', '-c', '1', '-W', '5', target]);
    const figures = await measure(net.left.container, net.right.container, target, seconds);
    results.get(name)?.push(figures);
    console.error(`round ${round + 1} ${name}: ${JSON.stringify(figures)}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const rows = WAYS.map(({ name, what }) => {
  const all = results.get(name) ?? [];
  const of = (key: keyof Figures) => median(all.map((figures) => figures[key]));
  return {
    name,
    what,
    gbits: of('gbits'),
    cpuPerGbit: of('cpuPerGbit'),
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
  };
});
console.log('way             Gbit/s   CPU s/Gbit   round trip p50 us   p99 us');
for (const { name, gbits, cpuPerGbit, p50Us, p99Us } of rows) {
  console.log(
    `${name.padEnd(14)} ${gbits.toFixed(1).padStart(7)} ${cpuPerGbit.toFixed(3).padStart(12)} ${p50Us.toFixed(1).padStart(19)} ${p99Us.toFixed(1).padStart(8)}`,
  );
}
if (file !== undefined) await writeFile(file, drawWays(rows, { rounds, load: loadavg()[0] ?? 0 }));
