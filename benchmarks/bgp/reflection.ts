import { PATIENCE_SECONDS, play, type Scenario } from './scenario.ts';
import { feederAddress, ROUTER_ASN, receiverAddress } from './stage.ts';
import { announcements } from './tables.ts';

const PREFIXES = 100_000;
const CLIENTS = 100;
const FIRST_AS = 65_010;

/** Row c: a route reflector gives the table of one iBGP peer to its clients. */
export const reflection: Scenario = {
  prepare(scale) {
    const family = 'ipv4';
    const prefixes = Math.round(PREFIXES * scale);
    const address = feederAddress(family, 0);
    const all = announcements({ family, prefixes, nextHop: address, firstAs: FIRST_AS, seed: 1 });
    const feeder = { address, asn: ROUTER_ASN, tables: { all }, tallies: false };
    const receivers = Array.from({ length: Math.ceil(CLIENTS * scale) }, (_, i) => ({
      address: receiverAddress(family, i),
      asn: ROUTER_ASN,
      tables: {},
      tallies: true,
    }));
    return async (router) => {
      await using scene = await play(router, {
        family,
        feeders: [feeder],
        receivers,
        clients: true,
      });
      const figures = await scene.measure(
        () => scene.feeders.ask({ type: 'send', table: 'all' }, 60),
        () => scene.receivers.ask({ type: 'await', present: prefixes }, PATIENCE_SECONDS),
      );
      return { c: figures };
    };
  },
};
