export type { ConformanceOptions } from './bench.ts';
export { CONFORMANCE_POINTS, type Finding, runConformance } from './run-conformance.ts';
