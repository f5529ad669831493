import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { failover } from './failover.ts';
import { fullTable } from './full-table.ts';
import { kernelRoutes } from './kernel-routes.ts';
import { manyPaths } from './many-paths.ts';
import { propagation } from './propagation.ts';
import { reflection } from './reflection.ts';
import { printTable, report } from './report.ts';
import { overland } from './routers/overland.ts';
import type { Router } from './routers/router.ts';
import { ROUTERS } from './routers.ts';
import type { Figures, Scenario } from './scenario.ts';

/**
 * How fast is the speaker, how much CPU and memory does it take, beside BIRD, FRR, OpenBGPD and GoBGP? Same feeder,
 * same receiver, each router in a namespace of its own and new for each round; rounds of all routers alternate.
 *
 *   scripts/isolated node --conditions=@overland/source benchmarks/bgp/run.ts [--scale 0.1] [--rounds 5]
 *     [--scenarios table-ipv4,paths-ipv4] [--routers overland,bird] [--json FILE] [--other CHECKOUT]
 *
 * With `--watch`, the CPU time of the longest task of our speaker's thread and the delay of its event loop are told, too.
 * With `--other`, the router `other` is the program of another checkout, for comparison.
 */

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'table-ipv4': fullTable('ipv4'),
  'table-ipv6': fullTable('ipv6'),
  'paths-ipv4': manyPaths('ipv4'),
  'paths-ipv6': manyPaths('ipv6'),
  reflection,
  churn: propagation('e', { churns: true }),
  idle: propagation('f', { churns: false }),
  kernel: kernelRoutes,
  failover,
};

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    scenarios: { type: 'string', default: Object.keys(SCENARIOS).join(',') },
    routers: { type: 'string', default: 'overland,bird' },
    json: { type: 'string' },
    other: { type: 'string' },
    watch: { type: 'boolean', default: false },
  },
});
const [scale, rounds] = [Number(values.scale), Number(values.rounds)];

execFileSync(join(import.meta.dirname, '../../scripts/bootstrap'), { stdio: 'inherit' });
const routers = {
  ...ROUTERS,
  ...(values.watch && { overland: overland(undefined, true) }),
  ...(values.other !== undefined && { other: overland(values.other) }),
};
/** By router, then row: the figures of each round. */
const measured = new Map<string, Map<string, Figures[]>>();
for (const name of values.scenarios.split(',')) {
  const run = chosen(SCENARIOS, name).prepare(scale);
  for (let round = 1; round <= rounds; round += 1) {
    for (const router of values.routers.split(',')) {
      try {
        const rows = await run(chosen<Router>(routers, router));
        for (const [row, figures] of Object.entries(rows)) keep(router, row, figures);
      } catch (error) {
        process.exitCode = 1;
        console.error(`${name}, ${router}: ${String(error)}`);
      }
    }
  }
  // After each: a run may take an hour.
  if (values.json !== undefined) {
    const text = JSON.stringify(report(measured, { scale }), undefined, 2);
    await writeFile(values.json, `${text}\n`);
  }
}
printTable(report(measured, { scale }));
process.exit();

function keep(router: string, row: string, figures: Figures): void {
  console.error(`${row}, ${router}: ${JSON.stringify(figures, rounded)}`);
  const rows = measured.get(router) ?? new Map<string, Figures[]>();
  measured.set(router, rows);
  rows.set(row, [...(rows.get(row) ?? []), figures]);
}

function chosen<T>(among: Readonly<Record<string, T>>, name: string): T {
  const found = among[name];
  if (found === undefined) throw new Error(`${name}: one of ${Object.keys(among).join(', ')}`);
  return found;
}

function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(4)) : value;
}
