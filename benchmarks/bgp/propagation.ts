import { setTimeout as delay } from 'node:timers/promises';
import { markedAnnouncements } from './marked.ts';
import { PATIENCE_SECONDS, play, type Scenario } from './scenario.ts';
import { feederAddress, probeAddress, receiverAddress } from './stage.ts';
import { percentile } from './statistics.ts';
import { announcements, churn } from './tables.ts';

const PREFIXES = 500_000;
const CHURN_PER_SECOND = 5000;
const PROBES_PER_SECOND = 100;
const SECONDS = 10;
const WARM_UP_SECONDS = 2;
const FEEDER_ASN = 65011;
const PROBE_ASN = 65012;
const RECEIVER_ASN = 65101;
const family = 'ipv4';

/** Rows e and f: how long does a change of one prefix take, receive to send, beside churn or alone? */
export function propagation(row: string, options: { readonly churns: boolean }): Scenario {
  return {
    prepare(scale) {
      const prefixes = options.churns ? Math.round(PREFIXES * scale) : 1;
      const seconds = Math.max(1, Math.round(SECONDS * scale));
      const probes = seconds * PROBES_PER_SECOND;
      const nextHop = feederAddress(family, 0);
      const shape = { family, prefixes, nextHop, firstAs: FEEDER_ASN, seed: 1 } as const;
      const updates = (seconds + WARM_UP_SECONDS + 1) * CHURN_PER_SECOND;
      const tables = {
        all: announcements(shape),
        ...(options.churns && { churn: churn({ ...shape, seed: 2 }, updates) }),
      };
      const feeder = { address: nextHop, asn: FEEDER_ASN, tables, tallies: false };
      const address = probeAddress(family);
      const marked = markedAnnouncements(probes, PROBE_ASN, address);
      const prober = { address, asn: PROBE_ASN, tables: { marked }, tallies: false };
      const receiver = {
        address: receiverAddress(family, 0),
        asn: RECEIVER_ASN,
        tables: {},
        tallies: true,
      };
      return async (router) => {
        const cast = {
          family,
          feeders: [feeder],
          receivers: [receiver],
          others: [prober],
        } as const;
        await using scene = await play(router, cast);
        const { feeders, receivers, others, measure } = scene;
        await feeders.ask({ type: 'send', table: 'all' }, 60);
        await receivers.ask({ type: 'await', present: prefixes }, PATIENCE_SECONDS);
        await feeders.ask({ type: 'pace', table: 'churn', perSecond: CHURN_PER_SECOND }, 60);
        await delay(options.churns ? WARM_UP_SECONDS * 1000 : 0);
        const { ms: _, ...used } = await measure(
          () => others.ask({ type: 'pace', table: 'marked', perSecond: PROBES_PER_SECOND }, 60),
          async () => {
            await delay((seconds + 0.5) * 1000);
            return receivers.ask({ type: 'last update' }, 60);
          },
        );
        const sent = await others.times('sent');
        const arrived = await receivers.times('arrived');
        const latencies = sent.flatMap((at, i) =>
          (arrived[i] ?? 0) > 0 ? [(arrived[i] ?? 0) - at] : [],
        );
        const [p50Ms, p90Ms, p99Ms] = [0.5, 0.9, 0.99].map((p) => percentile(latencies, p));
        return {
          [row]: {
            p50Ms: p50Ms ?? Number.NaN,
            p90Ms: p90Ms ?? Number.NaN,
            p99Ms: p99Ms ?? Number.NaN,
            // A change that is overtaken by the next one is never sent on: seen with routers that gather changes.
            overtaken: sent.length - latencies.length,
            ...used,
          },
        };
      };
    },
  };
}
