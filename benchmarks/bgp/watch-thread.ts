import { existsSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import { WRITE_MS } from './watch.ts';

/**
 * Loaded into a speaker with `--import`: how long is its main thread busy at a time? A timer takes the CPU time of the
 * thread every millisecond. Between two of its calls lies at least one turn of the event loop, so no task used more
 * than the largest difference. What was found goes into the file of BENCHMARK_WATCH; when that is gone it begins anew.
 */

const file = process.env.BENCHMARK_WATCH;
if (file !== undefined && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let before = process.threadCpuUsage();
  let longestTaskMs = 0;
  setInterval(() => {
    const now = process.threadCpuUsage();
    const usedMs = (now.user + now.system - before.user - before.system) / 1000;
    longestTaskMs = Math.max(longestTaskMs, usedMs);
    before = now;
  }, 1).unref();
  setInterval(() => {
    if (!existsSync(file)) {
      delay.reset();
      longestTaskMs = 0;
    }
    const delayP999Ms = delay.percentile(99.9) / 1e6;
    writeFileSync(file, JSON.stringify({ longestTaskMs, delayP999Ms }));
  }, WRITE_MS).unref();
}
