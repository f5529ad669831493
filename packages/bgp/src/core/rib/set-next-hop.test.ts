import { type Family, type IpAddress, parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import {
  connect,
  type End,
  link,
  peerConfig,
  Speaker,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import type { FilterRule } from '../policy/route-filter.ts';

const ROUTE = { ipv4: '10.2.0.0/26', ipv6: 'fd00:2::/122' } as const;
const at = (family: Family, host: number): IpAddress =>
  parseAddress(family === 'ipv4' ? `10.1.0.${host}` : `fd00:1::${host}`);

interface Rules {
  readonly import?: readonly FilterRule[];
  readonly export?: readonly FilterRule[];
}

/** A speaker (.1) that learns from one peer (.2) and tells another (.3), all on one link. */
function middle(family: Family, first: Rules) {
  const configOf = (rules: Rules) => ({
    ...speakerConfig(65001),
    filters: [
      { name: 'in', rules: rules.import ?? [] },
      { name: 'out', rules: rules.export ?? [] },
    ],
    peers: [65002, 65003].map((asn, i) => peerConfig(at(family, i + 2), asn, policy(i))),
  });
  const policy = (i: number) => ({
    families: [family],
    ...(i === 0 ? { importFilters: ['in'] } : { exportFilters: ['out'] }),
  });
  const speaker = new Speaker(configOf(first));
  speaker.engine.setInterfaces([
    link('eth0', [`${at('ipv4', 1)}/24`, `${at('ipv6', 1)}/64`]),
    link('eth1', ['10.3.0.1/24', 'fd00:3::1/64']),
  ]);
  speaker.engine.endDeferral();
  const [feeder, receiver] = [65002, 65003].map((asn, i): End => {
    const other = new Speaker(speakerConfig(asn));
    other.engine.endDeferral();
    const end = { speaker: other, asn, address: at(family, i + 2), peer: 0 };
    const us = { speaker, asn: 65001, address: at(family, 1), peer: i, config: policy(i) };
    connect(us, end);
    return end;
  }) as [End, End];
  const { engine, kernel } = speaker;
  return {
    engine,
    learn: (host: number): void => {
      const update = { announce: [ROUTE[family]], nextHop: at(family, host), asPath: [65002] };
      expect(engine.receiveUpdate(0, updateOctets(update))).toBeUndefined();
    },
    change: (rules: Rules): void => engine.configure(configOf(rules)),
    /** The next hop that the receiver has, and the way that the kernel goes. */
    seen: () => {
      settle(speaker, feeder.speaker, receiver.speaker);
      const told = receiver.speaker.routes(family)[0]?.paths[0]?.nextHop;
      return { told, kernel: [...kernel.routes.values()] };
    },
  };
}

for (const family of ['ipv4', 'ipv6'] as const) {
  const elsewhere = parseAddress(family === 'ipv4' ? '10.3.0.9' : 'fd00:3::9');
  const set = (nextHop: IpAddress | 'self'): FilterRule => ({ action: 'accept', set: { nextHop } });

  test(`${family}: the peer is told the next hop that export rules set`, () => {
    const { learn, seen, change } = middle(family, { export: [set(elsewhere)] });
    learn(2);
    expect(seen()).toEqual({ told: elsewhere, kernel: [`${at(family, 2)}@eth0`] });
    change({ export: [set(at(family, 8))] });
    expect(seen().told).toBe(at(family, 8));
    // Without rules, where the peer gets there by itself.
    change({});
    expect(seen().told).toBe(at(family, 2));
    change({ export: [set('self')] });
    expect(seen().told).toBe(at(family, 1));
  });

  test(`${family}: routes are reached by the next hop that import rules set`, () => {
    const { learn, seen, change } = middle(family, { import: [set(elsewhere)] });
    learn(2);
    expect(seen().kernel).toEqual([`${elsewhere}@eth1`]);
    change({});
    expect(seen().kernel).toEqual([`${at(family, 2)}@eth0`]);
    change({ import: [set(at(family, 7))] });
    expect(seen()).toEqual({ told: at(family, 7), kernel: [`${at(family, 7)}@eth0`] });
  });

  test(`${family}: conditions are about the next hop as it came`, () => {
    const rule: FilterRule = { ...set(elsewhere), match: { nextHops: [at(family, 4)] } };
    const { learn, seen, change, engine } = middle(family, { import: [rule] });
    learn(4);
    expect(seen().kernel).toEqual([`${elsewhere}@eth1`]);
    // Asked again, the rule says the same.
    change({ import: [rule, { action: 'reject' }] });
    expect(seen().kernel).toEqual([`${elsewhere}@eth1`]);
    const prefix = parsePrefix(ROUTE[family]);
    const { paths } = engine.explain({ prefix: { prefix, match: 'exact' } });
    expect(paths[0]?.imported?.rules).toEqual([
      { rule: 'in[0]', action: 'accept', changes: [`next hop ${elsewhere}`] },
    ]);
    learn(2);
    expect(seen().kernel).toEqual([]);
  });

  test(`${family}: a next hop that no link leads to makes the route unusable`, () => {
    const nowhere = parseAddress(family === 'ipv4' ? '10.9.0.9' : 'fd00:9::9');
    const { learn, seen } = middle(family, { import: [set(nowhere)] });
    learn(2);
    expect(seen()).toEqual({ told: undefined, kernel: [] });
  });
}

test('an IPv6 next hop is not told to who cannot read it', () => {
  const { learn, seen } = middle('ipv4', {
    export: [{ action: 'accept', set: { nextHop: parseAddress('fd00:1::8') } }],
  });
  learn(2);
  expect(seen().told).toBeUndefined();
});
