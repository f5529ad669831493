import { type Family, familyOf } from '@overland/net';
import { enterNode } from '../runner/enter-node.ts';
import { packagedProgram } from '../runner/lab-paths.ts';
import { runProgram } from '../runner/run-program.ts';
import type { PingEndpoint } from './workloads.ts';

/** One echo request and what came of it. */
export interface PingResult {
  readonly from: PingEndpoint;
  readonly to: PingEndpoint;
  readonly family: Family;
  /** Milliseconds; `undefined` if it was lost. */
  readonly roundTripMs: number | undefined;
}

/**
 * Pings from every endpoint to every other, in both families, once.
 *
 * @param waitSeconds How long to wait for an answer.
 */
export async function pingAll(
  endpoints: readonly PingEndpoint[],
  waitSeconds: number,
): Promise<PingResult[]> {
  const rounds = endpoints.map(async (from) => {
    const targets = endpoints
      .filter((to) => to !== from)
      .flatMap((to) => to.addresses.map((address) => ({ to, address })));
    if (targets.length === 0) return [];
    const addresses = targets.map(({ address }) => address);
    const inside =
      from.namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${from.namespace}`, '--'];
    const argv = [...inside, packagedProgram('probe'), String(waitSeconds), ...addresses];
    const { stdout } = await runProgram(enterNode(from.pid, argv));
    const answers = parseProbe(stdout);
    return targets.map(({ to, address }) => ({
      from,
      to,
      family: familyOf(address),
      roundTripMs: answers.get(address),
    }));
  });
  return (await Promise.all(rounds)).flat();
}

function parseProbe(text: string): Map<string, number> {
  return new Map(
    text.split('\n').flatMap((line): [string, number][] => {
      const [address = '', milliseconds = ''] = line.split(' ');
      const value = Number.parseFloat(milliseconds);
      return Number.isNaN(value) ? [] : [[address, value]];
    }),
  );
}
