import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TestNamespace } from '@overland/linux/testing';
import { expect } from 'vitest';

/** Pings every 10 ms from a namespace to each address, until {@link Pings.lost} is asked. */
export interface Pings {
  /** Ends them, once each has sent enough to tell. @returns How many were not answered, per address. */
  lost(): Promise<number[]>;
}

const ENOUGH = 100;

export function startPings(from: TestNamespace, addresses: readonly string[]): Pings {
  const pings = addresses.map((address) => startPing(from, address));
  return { lost: () => Promise.all(pings.map((ping) => ping.lost())) };
}

function startPing(from: TestNamespace, address: string): { lost(): Promise<number> } {
  const argv = ['netns', 'exec', from.name, 'ping', '-q', '-i', '0.01', '-W', '1', address];
  const child = execFile('ip', argv);
  let output = '';
  let interim = '';
  child.stdout?.on('data', (text: string) => {
    output += text;
  });
  child.stderr?.on('data', (text: string) => {
    interim += text;
  });
  const closed = new Promise((resolve) => child.once('close', resolve));

  /** On SIGQUIT ping(8) prints `answered/sent packets, …` on standard error and goes on. */
  const sentSoFar = () => {
    if (!catchesQuit(child.pid)) return 0;
    child.kill('SIGQUIT');
    return Number([...interim.matchAll(/(\d+) packets/g)].at(-1)?.[1] ?? 0);
  };

  return {
    async lost() {
      await expect.poll(sentSoFar, { timeout: 5000 }).toBeGreaterThan(ENOUGH);
      child.kill('SIGINT');
      await closed;
      const [, sent, received] =
        /(\d+) packets transmitted, (\d+) received/.exec(output) ??
        expect.fail(`ping ${address} ended without its statistics: ${output}${interim}`);
      // One may be on its way when the pinger is stopped.
      return Math.max(0, Number(sent) - Number(received) - 1);
    },
  };
}

/** Whether ping has come as far as to catch the signal, which would end it before. */
function catchesQuit(pid: number | undefined): boolean {
  const caught = /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  const SIGQUIT = 3;
  return ((BigInt(`0x${caught?.[1] ?? 0}`) >> BigInt(SIGQUIT - 1)) & 1n) === 1n;
}
