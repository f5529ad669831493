import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dispatchChains } from './dispatch-chains.ts';

const ROOT = 'cali-from-wl-dispatch';
const interfaceName = fc.stringMatching(/^cali[0-3.]{0,11}$/);

/** Where a packet of an interface ends, and how many rules it meets. */
function walk(chains: ReadonlyMap<string, readonly string[]>, name: string) {
  let met = 0;
  for (let chain = ROOT; ; ) {
    const rules: readonly string[] | undefined = chains.get(chain);
    if (!rules) return { end: chain, met };
    const match = rules.find((rule) => {
      met += 1;
      const [, asked = ''] = /^-i (\S+)/.exec(rule) ?? [];
      return (
        asked === '' || (asked.endsWith('+') ? name.startsWith(asked.slice(0, -1)) : name === asked)
      );
    });
    const [, to] = /-g (\S+)$/.exec(match ?? '') ?? [];
    if (to === undefined) return { end: undefined, met };
    chain = to;
  }
}

test('packets of known interfaces reach their chain, and no others', () => {
  fc.assert(
    fc.property(fc.uniqueArray(interfaceName, { maxLength: 60 }), interfaceName, (names, other) => {
      const targets = new Map(names.map((name) => [name, `cali-fw-${name}`]));
      const chains = dispatchChains(ROOT, '-i', targets);
      for (const name of names) expect(walk(chains, name).end).toBe(`cali-fw-${name}`);
      expect(walk(chains, other).end).toBe(targets.get(other));
      for (const chain of chains.keys()) expect(chain.length).toBeLessThanOrEqual(28);
    }),
  );
});

test('few rules are met among a thousand interfaces', () => {
  const names = Array.from(
    { length: 1000 },
    (_, i) => `cali${(i * 2_654_435_761).toString(16).padStart(11, '0').slice(-11)}`,
  );
  const targets = new Map(names.map((name) => [name, `cali-fw-${name}`]));
  const chains = dispatchChains(ROOT, '-i', targets);
  for (const name of names) expect(walk(chains, name).met).toBeLessThan(50);
});
