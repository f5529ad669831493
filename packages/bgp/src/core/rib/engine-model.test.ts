import fc from 'fast-check';
import { test, vi } from 'vitest';
import { anyAct } from '../../../test/model-acts.ts';
import { compare } from '../../../test/model-comparison.ts';
import { ASN, World } from '../../../test/model-world.ts';
import { settle } from '../../../test/two-speakers.ts';

vi.setConfig({ testTimeout: 120_000 }); // all computing: how long depends on the machine alone

const anyActs = fc.array(anyAct, { minLength: 1, maxLength: 60, size: 'max' });

for (const [family, receiver, receiverAsn] of [
  ['ipv4', 'eBGP', 65999],
  ['ipv6', 'eBGP', 65999],
  ['ipv4', 'iBGP', ASN],
  ['ipv6', 'iBGP', ASN],
] as const) {
  test(`${family}: whatever happens in whatever order, the RIBs, the kernel and the ${receiver} receiver end where a computation from scratch ends`, () => {
    fc.assert(
      fc.property(anyActs, fc.nat(59), fc.boolean(), (acts, when, takesStale) => {
        const world = new World(family, receiverAsn, takesStale);
        for (const [i, perform] of acts.entries()) {
          if (i === Math.min(when, acts.length - 1)) world.startReceiver();
          perform(world);
        }
        world.dut.engine.endDeferral();
        settle(world.dut, world.receiver);
        compare(world);
        world.end();
      }),
      { numRuns: 200 },
    );
  });
}
