import type { Metric } from '@overland/bgp/metrics';
import type { FlowRecord } from './flow-record.ts';

/** More than operators tell apart; packets that others deny are counted together. */
const MAX_POLICIES = 256;
const OTHERS = 'others';

/** What records add up to, for `/metrics`. */
export class FlowTotals {
  #connections = 0;
  readonly #denied = new Map<string, number>();

  add({ verdict, began, packets, reasons }: FlowRecord): void {
    this.#connections += began;
    if (verdict === 'allow') return;
    const by = reasons.at(-1);
    const name = by?.policy ?? (by?.tier === undefined ? 'no policy' : `tier ${by.tier}`);
    const isKnown = this.#denied.has(name) || this.#denied.size < MAX_POLICIES;
    const key = isKnown ? name : OTHERS;
    this.#denied.set(key, (this.#denied.get(key) ?? 0) + packets);
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
        samples: Array.from(this.#denied, ([policy, value]) => ({ labels: { policy }, value })),
      },
    ];
  }
}
