import { parseAsn } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import type { PeerConfig, RouteFilter } from '../index.ts';

const LOCAL = { asn: 65000, address: '10.1.0.254' };
const FILTERS: RouteFilter[] = [{ name: 'none', rules: [{ action: 'reject' }] }];

function speakerWith(peers: readonly Partial<PeerConfig>[]): Speaker {
  const originate = ['10.9.0.0/16', '10.8.0.0/16'];
  const speaker = new Speaker(speakerConfig(65000, { originate, filters: FILTERS }));
  speaker.engine.setInterfaces([link('eth1', ['10.1.0.254/24'])]);
  speaker.engine.endDeferral();
  for (const [n, overrides] of peers.entries()) {
    const config = peerConfig(`10.1.0.${n + 1}`, 65001 + n, { families: ['ipv4'], ...overrides });
    speaker.engine.peerUp(sessionWith(n, config, LOCAL));
  }
  return speaker;
}

test('peers with the same settings are one group; a filter, a kind of session or a family is another', () => {
  const speaker = speakerWith([
    {},
    { exportFilters: ['none'] },
    {},
    { asn: parseAsn(65000) },
    { families: ['ipv4', 'ipv6'] },
  ]);
  const groups = speaker.engine.updateGroups();
  const told = groups.map(({ family, settings, exportFilters, members }) =>
    [
      family,
      settings.ebgp ? 'ebgp' : 'ibgp',
      ...exportFilters,
      members.map(({ peer }) => peer),
    ].join(' '),
  );
  expect(told).toEqual(['ipv4 ebgp 0,2,4', 'ipv4 ebgp none 1', 'ipv4 ibgp 3', 'ipv6 ebgp 4']);
});

test('what each member has, and has yet to be told', () => {
  const speaker = speakerWith([{}, {}]);
  speaker.plug(0, () => {});
  settle(speaker);
  const [group] = speaker.engine.updateGroups();
  expect(group?.members).toEqual([
    { peer: 0, advertised: 2, announcing: 0, withdrawing: 0 },
    { peer: 1, advertised: 0, announcing: 2, withdrawing: 0 },
  ]);
  speaker.engine.configure(speakerConfig(65000, { originate: ['10.9.0.0/16'] }));
  while (speaker.engine.step(64));
  const [after] = speaker.engine.updateGroups();
  expect(after?.members[0]).toMatchObject({ advertised: 2, withdrawing: 1 });
});

test('tables and work are counted', () => {
  const speaker = speakerWith([{}]);
  settle(speaker);
  const { families, attributeSets } = speaker.engine.statistics();
  expect(families.ipv4).toMatchObject({
    prefixes: 2,
    paths: 2,
    decisions: 2,
    bestChanges: 2,
    undecided: 0,
    pendingKernelRoutes: 0,
  });
  expect(families.ipv6).toMatchObject({ prefixes: 0, paths: 0, decisions: 0 });
  expect(attributeSets).toBe(1);
});
