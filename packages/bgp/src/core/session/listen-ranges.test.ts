import { parseAddress, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { peerConfig, speaker } from '../../../test/machine-script.ts';
import type { ListenRange, PeerConfig } from '../config.ts';
import { keepDynamicPeers, peerFrom, rangeOf } from './listen-ranges.ts';

function range(prefix: string, change: Partial<ListenRange['peer']> = {}): ListenRange {
  const { name: _name, address: _address, ...peer } = peerConfig;
  return { prefix: parsePrefix(prefix), limit: 2, peer: { ...peer, passive: true, ...change } };
}

const ranges = [range('10.0.0.0/8'), range('10.2.0.0/16', { holdSeconds: 30 }), range('fd00::/8')];
const from = (text: string): PeerConfig | undefined => {
  const found = rangeOf(ranges, parseAddress(text));
  return found && peerFrom(found, parseAddress(text));
};

test('of several ranges the narrowest counts, and the peer is called by its address', () => {
  expect(from('10.1.0.1')).toMatchObject({ name: '10.1.0.1', range: '10.0.0.0/8', holdSeconds: 9 });
  expect(from('10.2.0.1')).toMatchObject({ address: '10.2.0.1', holdSeconds: 30, passive: true });
  expect(from('fd00::1')).toMatchObject({ name: 'fd00::1', range: 'fd00::/8' });
  expect(from('192.0.2.1')).toBeUndefined();
});

test('a new configuration keeps those whom it has a range for, as it is now, or a peer', () => {
  const present = [peerConfig, from('10.1.0.1'), from('10.2.0.1'), from('fd00::1')].flatMap(
    (peer) => peer ?? [],
  );
  const own = { ...peerConfig, name: 'own', address: parseAddress('10.1.0.1') };
  const { peers } = keepDynamicPeers(
    { ...speaker, peers: [own], listenRanges: [range('10.0.0.0/8', { holdSeconds: 3 })] },
    present,
  );
  expect(peers.map(({ name, holdSeconds }) => `${name} ${holdSeconds}`)).toEqual([
    'own 9',
    '10.2.0.1 3',
  ]);
  expect(keepDynamicPeers({ ...speaker, peers: [] }, present).peers).toEqual([]);
});
