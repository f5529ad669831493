import type { PingEndpoint, PingResult } from '@overland/lab';
import type { Colours } from '../colours.ts';
import { formatTable } from '../table.ts';

/** Echo requests between one ordered pair of endpoints, all families, over any number of rounds. */
export interface PairTally {
  readonly sent: number;
  readonly lost: { readonly ipv4: number; readonly ipv6: number };
}

/** All ordered pairs, over any number of rounds. */
export class PingTally {
  readonly #pairs = new Map<string, PairTally>();
  readonly #roundTrips: number[] = [];
  sent = 0;
  lost = 0;

  add(results: readonly PingResult[]): void {
    for (const { from, to, family, roundTripMs } of results) {
      const key = pairKey(from, to);
      const { sent, lost } = this.#pairs.get(key) ?? { sent: 0, lost: { ipv4: 0, ipv6: 0 } };
      const missed = roundTripMs === undefined ? 1 : 0;
      this.#pairs.set(key, {
        sent: sent + 1,
        lost: { ...lost, [family]: lost[family] + missed },
      });
      this.sent += 1;
      this.lost += missed;
      if (roundTripMs !== undefined) this.#roundTrips.push(roundTripMs);
    }
  }

  pair(from: PingEndpoint, to: PingEndpoint): PairTally | undefined {
    return this.#pairs.get(pairKey(from, to));
  }

  /** `264 echoes, 0 lost, round trip 0.1 ms (median), 2.1 ms (longest)` */
  summary(): string {
    const sorted = this.#roundTrips.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    const longest = sorted.at(-1);
    const times =
      median === undefined || longest === undefined
        ? ''
        : `, round trip ${median.toFixed(2)} ms (median), ${longest.toFixed(2)} ms (longest)`;
    return `${this.sent} echoes, ${this.lost} lost${times}`;
  }
}

function pairKey(from: PingEndpoint, to: PingEndpoint): string {
  return `${from.node}/${from.name} ${to.node}/${to.name}`;
}

/**
 * The matrix: who (row) hears whom (column). `●` all echoes in both families; `4`, `6` or `✕` where that family, or both, lost
 * some.
 */
export function pingMatrix(
  endpoints: readonly PingEndpoint[],
  tally: PingTally,
  colours: Colours,
): string {
  const number = (endpoint: PingEndpoint): string => String(endpoints.indexOf(endpoint) + 1);
  const columns = endpoints.map((to) => ({
    title: number(to),
    align: 'right' as const,
    cell: (from: PingEndpoint) => cell(from === to ? 'self' : tally.pair(from, to), colours),
  }));
  return formatTable<PingEndpoint>(
    [
      { title: 'FROM', cell: ({ node }) => node },
      { title: '', cell: ({ name, node }) => (name === node ? '' : name) },
      { title: '', cell: number, align: 'right' },
      ...columns,
    ],
    endpoints,
    colours.dim,
  );
}

function cell(tally: PairTally | 'self' | undefined, colours: Colours): string {
  if (tally === 'self') return colours.dim('·');
  if (!tally) return colours.dim('?');
  const { ipv4, ipv6 } = tally.lost;
  if (ipv4 === 0 && ipv6 === 0) return colours.green('●');
  return colours.red(ipv6 === 0 ? '4' : ipv4 === 0 ? '6' : '✕');
}
