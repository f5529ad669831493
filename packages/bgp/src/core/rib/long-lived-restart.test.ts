import { describe, expect, test } from 'vitest';
import { connect, link, Speaker, settle, speakerConfig } from '../../../test/two-speakers.ts';
import { updateOctets } from '../../../test/update-octets.ts';
import { communityText } from '../wire/communities.ts';
import type { EstablishedSession } from './route-engine.ts';

const LLGR_STALE = 0xffff_0006;
const NO_LLGR = 0xffff_0007;
const [LOST, OTHER] = [1, 2];

/** A router with two feeders of its own AS's customers, and one peer that receives. */
function world({ receiverAsn = 65999, takesLongLivedStale = false } = {}) {
  const dut = new Speaker(speakerConfig(65000));
  dut.engine.setInterfaces([
    link('eth1', ['10.1.1.254/24']),
    link('eth2', ['10.1.2.254/24']),
    link('eth9', ['10.9.0.254/24']),
  ]);
  const receiver = new Speaker(speakerConfig(receiverAsn));
  // On a link with the feeders, too: an iBGP peer is told their addresses as next hops.
  receiver.engine.setInterfaces([link('eth0', ['10.9.0.9/24', '10.1.1.9/24', '10.1.2.9/24'])]);
  for (const { engine } of [dut, receiver]) engine.endDeferral();
  const up = (n: number): void => {
    const feeder = new Speaker(speakerConfig(65000 + n));
    connect(
      { speaker: dut, asn: 65000, address: `10.1.${n}.254`, peer: n },
      { speaker: feeder, asn: 65000 + n, address: `10.1.${n}.1`, peer: 0, routerId: '192.0.2.1' },
    );
    dut.unplug(n);
  };
  const announce = (n: number, prefix: string, communities?: readonly number[]) =>
    dut.engine.receiveUpdate(
      n,
      updateOctets({
        announce: [prefix],
        nextHop: `10.1.${n}.1`,
        // The longer path is that of the other feeder.
        asPath: n === LOST ? [65001] : [65002, 65003, 65004],
        ...(communities && { communities }),
      }),
    );
  const session: Partial<EstablishedSession> = { takesLongLivedStale };
  connect(
    { speaker: dut, asn: 65000, address: '10.9.0.254', peer: 9 },
    { speaker: receiver, asn: receiverAsn, address: '10.9.0.9', peer: 0 },
    session,
  );
  up(LOST);
  up(OTHER);
  /** What the receiver has, with communities and LOCAL_PREF. */
  const received = (): string[] => {
    settle(dut, receiver);
    return receiver
      .routes('ipv4')
      .flatMap(({ prefix, paths }) =>
        paths.map(({ communities, localPref }) =>
          [prefix, ...communities, localPref ?? ''].join(' ').trimEnd(),
        ),
      );
  };
  const best = (): string[] => {
    settle(dut, receiver);
    return dut.best('ipv4');
  };
  return { dut, up, announce, received, best };
}

describe('when a peer is long gone', () => {
  test('its routes are the last choice, and go as LLGR_STALE to peers that know it', () => {
    const { dut, announce, best, received } = world({ takesLongLivedStale: true });
    announce(LOST, '10.65.0.0/26');
    announce(LOST, '10.66.0.0/26', [65_000 * 65_536 + 1]);
    announce(OTHER, '10.66.0.0/26');
    dut.engine.peerDown(LOST, ['ipv4']);
    expect(best()).toEqual(['10.65.0.0/26 10.1.1.1 65001', '10.66.0.0/26 10.1.1.1 65001']);
    dut.engine.beginLongLived(LOST, ['ipv4']);
    expect(best()).toEqual([
      '10.65.0.0/26 10.1.1.1 65001',
      '10.66.0.0/26 10.1.2.1 65002 65003 65004',
    ]);
    expect(received()).toEqual([`10.65.0.0/26 ${communityText(LLGR_STALE)}`, '10.66.0.0/26']);
    // The kernel has them all the time.
    expect([...dut.kernel.routes.keys()].sort()).toEqual(['10.65.0.0/26', '10.66.0.0/26']);
    dut.engine.peerDown(OTHER, []);
    expect(received()).toEqual([
      `10.65.0.0/26 ${communityText(LLGR_STALE)}`,
      `10.66.0.0/26 65000:1 ${communityText(LLGR_STALE)}`,
    ]);
    dut.engine.flushStale(LOST);
    expect(received()).toEqual([]);
    expect(dut.kernel.routes.size).toBe(0);
  });

  test('an eBGP peer that does not know it is told that they are gone', () => {
    const { dut, announce, received } = world();
    announce(LOST, '10.65.0.0/26');
    dut.engine.peerDown(LOST, ['ipv4']);
    expect(received()).toEqual(['10.65.0.0/26']);
    dut.engine.beginLongLived(LOST, ['ipv4']);
    expect(received()).toEqual([]);
    expect(dut.kernel.routes.size).toBe(1);
  });

  test('an iBGP peer that does not know it gets them with NO_EXPORT and LOCAL_PREF 0', () => {
    const { dut, announce, received } = world({ receiverAsn: 65000 });
    announce(LOST, '10.65.0.0/26');
    dut.engine.peerDown(LOST, ['ipv4']);
    dut.engine.beginLongLived(LOST, ['ipv4']);
    expect(received()).toEqual(['10.65.0.0/26 LLGR_STALE NO_EXPORT 0']);
  });

  test('what is marked NO_LLGR goes, and is said to', () => {
    const { dut, announce, best } = world();
    announce(LOST, '10.65.0.0/26', [NO_LLGR]);
    dut.engine.peerDown(LOST, ['ipv4']);
    expect(best()).toHaveLength(1);
    dut.engine.beginLongLived(LOST, ['ipv4']);
    expect(best()).toEqual([]);
    expect(dut.routes('ipv4')[0]?.paths[0]?.refused).toBe('no-long-lived');
  });

  test('what it announces when it is back is as good as ever, and the rest has its time', () => {
    const { dut, up, announce, received } = world({ takesLongLivedStale: true });
    announce(LOST, '10.65.0.0/26');
    announce(LOST, '10.66.0.0/26');
    dut.engine.peerDown(LOST, ['ipv4']);
    dut.engine.beginLongLived(LOST, ['ipv4']);
    up(LOST);
    announce(LOST, '10.65.0.0/26');
    expect(received()).toEqual(['10.65.0.0/26', '10.66.0.0/26 LLGR_STALE']);
    // Lost again before End-of-RIB: nothing of it is dropped.
    dut.engine.peerDown(LOST, ['ipv4']);
    expect(received()).toEqual(['10.65.0.0/26 LLGR_STALE', '10.66.0.0/26 LLGR_STALE']);
  });
});

test('what a peer has marked LLGR_STALE is the last choice here, too, and stays here if others do not know it', () => {
  const { announce, best, received } = world();
  announce(LOST, '10.65.0.0/26', [LLGR_STALE]);
  announce(OTHER, '10.65.0.0/26');
  announce(LOST, '10.66.0.0/26', [LLGR_STALE]);
  expect(best()).toEqual([
    '10.65.0.0/26 10.1.2.1 65002 65003 65004',
    '10.66.0.0/26 10.1.1.1 65001',
  ]);
  expect(received()).toEqual(['10.65.0.0/26']);
});
