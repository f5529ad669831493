import { execFile } from 'node:child_process';
import type { TestNamespace } from '@overland/linux/testing';
import { expect } from 'vitest';

/** Pings every 10 ms from a namespace to each address, until {@link Pings.lost} is asked. */
export interface Pings {
  /** Ends them. @returns How many were not answered, per address. */
  lost(): Promise<number[]>;
}

export function startPings(from: TestNamespace, addresses: readonly string[]): Pings {
  const pings = addresses.map((address) => {
    const argv = ['netns', 'exec', from.name, 'ping', '-q', '-i', '0.01', '-W', '1', address];
    const child = execFile('ip', argv);
    let output = '';
    child.stdout?.on('data', (text: string) => {
      output += text;
    });
    return { child, output: () => output };
  });
  return {
    lost: () =>
      Promise.all(
        pings.map(async ({ child, output }) => {
          const exited = new Promise((resolve) => child.once('exit', resolve));
          child.kill('SIGINT');
          await exited;
          const [, sent = '0', received = '0'] =
            /(\d+) packets transmitted, (\d+) received/.exec(output()) ?? [];
          expect(Number(sent)).toBeGreaterThan(100);
          // One may be on its way when the pinger is stopped.
          return Math.max(0, Number(sent) - Number(received) - 1);
        }),
      ),
  };
}
