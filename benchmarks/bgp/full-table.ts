import type { Family } from '@overland/net';
import { PATIENCE_SECONDS, play, type Scenario } from './scenario.ts';
import { feederAddress, receiverAddress } from './stage.ts';
import { announcements, withdrawals } from './tables.ts';

const PREFIXES = 1_000_000;
const FEEDER_ASN = 65011;
const RECEIVER_ASN = 65101;

/** Rows a and d: a table from one eBGP peer to another, its withdrawal, and the loss of the session it came from. */
export function fullTable(family: Family): Scenario {
  return {
    prepare(scale) {
      const prefixes = Math.round(PREFIXES * scale);
      const address = feederAddress(family, 0);
      const tables = {
        all: announcements({ family, prefixes, nextHop: address, firstAs: FEEDER_ASN, seed: 1 }),
        none: withdrawals(family, prefixes),
      };
      const feeder = { address, asn: FEEDER_ASN, tables, tallies: false };
      const receiver = {
        address: receiverAddress(family, 0),
        asn: RECEIVER_ASN,
        tables: {},
        tallies: true,
      };
      return async (router) => {
        await using scene = await play(router, {
          family,
          feeders: [feeder],
          receivers: [receiver],
        });
        const { feeders, receivers, measure } = scene;
        const send = (table: 'all' | 'none') => () => feeders.ask({ type: 'send', table }, 60);
        const have = (present: number) => () =>
          receivers.ask({ type: 'await', present }, PATIENCE_SECONDS);
        const learned = await measure(send('all'), have(prefixes));
        const withdrawn = await measure(send('none'), have(0));
        await measure(send('all'), have(prefixes));
        const lost = await measure(() => feeders.ask({ type: 'close' }, 60), have(0));
        return {
          [`a ${family}`]: learned,
          [`d withdraw ${family}`]: withdrawn,
          [`d session lost ${family}`]: lost,
        };
      };
    },
  };
}
