import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { speakerConfig } from '../../test/two-speakers.ts';
import { updateOctets } from '../../test/update-octets.ts';
import { encodeReceivedUpdate } from '../core/mrt/bgp4mp-writer.ts';
import { createRouteEngine } from '../core/rib/engine.ts';
import { feedMrt } from './mrt-feed.ts';
import { refeedMrt } from './mrt-refeed.ts';

const SESSION = {
  peerAsn: 65001,
  localAsn: 65000,
  interfaceIndex: 0,
  peerAddress: parseAddress('10.0.0.1'),
  localAddress: parseAddress('10.0.0.2'),
};
const FORMAT = { fourOctetAs: true, hasPathIds: false };

/** A file of recorded UPDATEs that announce these prefixes. */
function recorded(...prefixes: readonly string[]): string {
  const file = join(mkdtempSync(join(tmpdir(), 'mrt-')), 'updates.mrt');
  const records = prefixes.map((prefix) => {
    const nextHop = prefix.includes(':') ? 'fd00::1' : '10.0.0.1';
    const update = updateOctets({ announce: [prefix], nextHop, asPath: [65001] });
    return encodeReceivedUpdate(1_700_000_000_000, SESSION, FORMAT, update);
  });
  writeFileSync(file, Buffer.concat(records));
  return file;
}

test('what another file says is originated, and what only the former one said is no more', async () => {
  const config = (mrt?: string) => ({
    ...speakerConfig(65000, { originate: ['10.65.0.0/26'] }),
    ...(mrt !== undefined && { originateFrom: { mrt } }),
    aggregates: [{ prefix: parsePrefix('10.64.0.0/12'), summaryOnly: false }],
  });
  const first = config(recorded('10.1.0.0/16', '10.2.0.0/16', 'fd00:1::/48', 'fd00:2::/48'));
  const engine = createRouteEngine(first);
  const own = (): string[] => {
    while (engine.step(100));
    return (['ipv4', 'ipv6'] as const).flatMap((family) =>
      engine.routes({ family, limit: 100 }).routes.map(({ prefix }) => prefix),
    );
  };
  engine.endDeferral();
  await feedMrt(engine, first.originateFrom ?? { mrt: '' });
  const always = ['10.64.0.0/12', '10.65.0.0/26'];
  expect(own()).toEqual(['10.1.0.0/16', '10.2.0.0/16', ...always, 'fd00:1::/48', 'fd00:2::/48']);

  const second = config(recorded('10.2.0.0/16', '10.3.0.0/16', 'fd00:2::/48'));
  expect(await refeedMrt(engine, second)).toEqual({ taken: 3, refused: 0 });
  engine.configure(second);
  expect(own()).toEqual(['10.2.0.0/16', '10.3.0.0/16', ...always, 'fd00:2::/48']);

  const broken = config('/nowhere/updates.mrt');
  await expect(refeedMrt(engine, broken)).rejects.toThrow('cannot read /nowhere/updates.mrt');
  expect(own()).toHaveLength(5);

  expect(await refeedMrt(engine, config())).toBeUndefined();
  expect(own()).toEqual(always);
});
