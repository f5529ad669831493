import { ATTACH_POINTS } from './attach-points.ts';
import { Bench, type ConformanceOptions } from './bench.ts';
import { CHAIN_POINTS } from './chain-points.ts';
import { CHECK_POINTS } from './check-points.ts';
import { DAEMON_POINTS } from './daemon-points.ts';
import { DETACH_POINTS } from './detach-points.ts';
import { PROTOCOL_POINTS } from './protocol-points.ts';
import { demand, Nonconformity, NotApplicable, type Point } from './verdict.ts';

/** What came of a point. */
export interface Finding {
  readonly point: number;
  readonly title: string;
  readonly verdict: 'pass' | 'fail' | 'skip';
  /** Why not `pass`; else empty. */
  readonly detail: string;
}

/** Looks at every run of the others, so it is the last. */
const OUTPUT_POINT: Point<Bench> = {
  number: 40,
  title: 'what it prints is one JSON document, and an error never nothing',
  async check({ outputFaults }) {
    demand(outputFaults.length === 0, outputFaults.slice(0, 3).join('; '));
  },
};

const POINTS: readonly Point<Bench>[] = [
  ...[
    ...PROTOCOL_POINTS,
    ...ATTACH_POINTS,
    ...DETACH_POINTS,
    ...CHECK_POINTS,
    ...DAEMON_POINTS,
    ...CHAIN_POINTS,
  ].toSorted((a, b) => a.number - b.number),
  OUTPUT_POINT,
];

/** Numbers of all points. */
export const CONFORMANCE_POINTS: readonly number[] = POINTS.map(({ number }) => number);

/**
 * Looks at a plugin as a runtime would, point by point, with this network namespace as the host. Containers are
 * namespaces that are made for it and removed. Needs root.
 *
 * @param only Numbers of the points to look at; by default all.
 * @param onFinding Told each as it comes.
 */
export async function runConformance(
  options: ConformanceOptions,
  only: readonly number[] = CONFORMANCE_POINTS,
  onFinding: (finding: Finding) => void = () => undefined,
): Promise<Finding[]> {
  await using bench = new Bench(options);
  await bench.start();
  const findings: Finding[] = [];
  for (const point of POINTS.filter(({ number }) => only.includes(number))) {
    const { number, title } = point;
    const finding = { point: number, title, ...(await look(point, bench)) };
    findings.push(finding);
    onFinding(finding);
  }
  return findings;
}

async function look(
  point: Point<Bench>,
  bench: Bench,
): Promise<Pick<Finding, 'verdict' | 'detail'>> {
  try {
    await point.check(bench);
    return { verdict: 'pass', detail: '' };
  } catch (error) {
    if (error instanceof NotApplicable) return { verdict: 'skip', detail: error.message };
    if (error instanceof Nonconformity) return { verdict: 'fail', detail: error.message };
    // A plugin that answers what nobody expects: the point could not be looked at to its end.
    return { verdict: 'fail', detail: error instanceof Error ? error.message : String(error) };
  }
}
