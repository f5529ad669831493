import { expect, test } from 'vitest';
import { compactionPeriodMs } from './compaction-period.ts';

const configuration = (etcdV3CompactionPeriod: unknown) =>
  JSON.stringify({ kind: 'KubeControllersConfiguration', spec: { etcdV3CompactionPeriod } });

test.each([
  [undefined, 600_000],
  [configuration(undefined), 600_000],
  [configuration('10m0s'), 600_000],
  [configuration('1h30m'), 5_400_000],
  [configuration('0'), 0],
  [configuration('0s'), 0],
  [configuration('1ms'), 1000],
  [configuration('soon'), 600_000],
  [configuration(5), 600_000],
  ['{', 600_000],
])('%s is %d ms', (stored, ms) => {
  expect(compactionPeriodMs(stored)).toBe(ms);
});
