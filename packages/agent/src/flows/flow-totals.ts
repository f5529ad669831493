import type { Metric } from '@overland/bgp/metrics';
import type { FlowRecord } from './flow-record.ts';

/** More than operators tell apart; packets that others deny are counted together. */
const MAX_POLICIES = 256;
const OTHERS = 'others';

/** What records add up to, for `/metrics`. */
export class FlowTotals {
  #connections = 0;
  readonly #denied = new Map<string, number>();
  readonly #stagedDenied = new Map<string, number>();

  add({ verdict, began, packets, reasons }: FlowRecord): void {
    this.#connections += began;
    const last = reasons.at(-1);
    if (verdict === 'deny') count(this.#denied, last, packets);
    const staged = reasons.find((reason) => reason.staged?.action === 'deny')?.staged;
    if (verdict === 'allow' && staged) count(this.#stagedDenied, staged, began);
  }

  metrics(): Metric[] {
    return [
      {
        name: 'overland_flow_connections_total',
        help: 'Connections of workloads that began, while flows are collected.',
        type: 'counter',
        samples: [{ value: this.#connections }],
      },
      {
        name: 'overland_denied_packets_total',
        help: 'Packets that policies dropped, by who denied them; the kernel tells of so many a second.',
        type: 'counter',
        samples: samplesOf(this.#denied),
      },
      {
        name: 'overland_staged_denied_connections_total',
        help: 'Connections of workloads that staged policies would have denied, by who would, while flows are collected.',
        type: 'counter',
        samples: samplesOf(this.#stagedDenied),
      },
    ];
  }
}

type Decider = Pick<FlowRecord['reasons'][number], 'policy' | 'tier'>;

function count(totals: Map<string, number>, by: Decider | undefined, amount: number): void {
  const name = by?.policy ?? (by?.tier === undefined ? 'no policy' : `tier ${by.tier}`);
  const key = totals.has(name) || totals.size < MAX_POLICIES ? name : OTHERS;
  totals.set(key, (totals.get(key) ?? 0) + amount);
}

function samplesOf(totals: ReadonlyMap<string, number>) {
  return Array.from(totals, ([policy, value]) => ({ labels: { policy }, value }));
}
