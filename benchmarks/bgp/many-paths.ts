import type { Family } from '@overland/net';
import { PATIENCE_SECONDS, play, type Scenario, settled } from './scenario.ts';
import { feederAddress, receiverAddress } from './stage.ts';
import { announcements } from './tables.ts';

const PREFIXES = 200_000;
const FEEDERS = 10;
const FIRST_ASN = 65011;
const RECEIVER_ASN = 65101;
const QUIET_MS = 700;

/** Row b: ten eBGP peers announce the same prefixes at once, each with attributes of its own. */
export function manyPaths(family: Family): Scenario {
  return {
    prepare(scale) {
      const prefixes = Math.round(PREFIXES * scale);
      const feeders = Array.from({ length: FEEDERS }, (_, i) => {
        const [address, asn] = [feederAddress(family, i), FIRST_ASN + i];
        const shape = { family, prefixes, nextHop: address, firstAs: asn, seed: i + 1 };
        return { address, asn, tables: { all: announcements(shape) }, tallies: false };
      });
      const receiver = {
        address: receiverAddress(family, 0),
        asn: RECEIVER_ASN,
        tables: {},
        tallies: true,
      };
      return async (router) => {
        await using scene = await play(router, { family, feeders, receivers: [receiver] });
        let startMs = 0;
        let fullMs = 0;
        const figures = await scene.measure(
          async () => {
            startMs = await scene.feeders.ask({ type: 'send', table: 'all' }, 60);
            return startMs;
          },
          async () => {
            const full = { type: 'await', present: prefixes } as const;
            fullMs = await scene.receivers.ask(full, PATIENCE_SECONDS);
            return settled(scene.receivers, QUIET_MS);
          },
        );
        return {
          [`b first full ${family}`]: { ms: fullMs - startMs },
          [`b settled ${family}`]: figures,
        };
      };
    },
  };
}
