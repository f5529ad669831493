import { expect, test } from 'vitest';
import { Deferral } from './deferral.ts';

test('over when every peer has come up and sent End-of-RIB of each family', () => {
  const deferral = new Deferral([1, 2]);
  deferral.peerUp(1, ['ipv4', 'ipv6']);
  deferral.peerUp(2, ['ipv4']);
  deferral.endOfRib(1, 'ipv4');
  deferral.endOfRib(2, 'ipv4');
  expect(deferral.isOver).toBe(false);
  deferral.endOfRib(1, 'ipv6');
  expect(deferral.isOver).toBe(true);
});

test('without peers there is nobody to wait for', () => {
  expect(new Deferral([]).isOver).toBe(true);
});

test('the dead are not waited for once the window has passed', () => {
  const deferral = new Deferral([1, 2]);
  deferral.peerUp(1, ['ipv4']);
  deferral.endOfRib(1, 'ipv4');
  expect(deferral.isOver).toBe(false);
  deferral.windowEnds();
  expect(deferral.isOver).toBe(true);
});

test('who came up is waited for beyond the window', () => {
  const deferral = new Deferral([1, 2]);
  deferral.peerUp(1, ['ipv4']);
  deferral.windowEnds();
  expect(deferral.isOver).toBe(false);
});

test('if nobody came up the hard limit decides: an early end would delete every route', () => {
  const deferral = new Deferral([1, 2]);
  deferral.windowEnds();
  expect(deferral.isOver).toBe(false);
  deferral.limitReached();
  expect(deferral.isOver).toBe(true);
});

test('a peer that restarted itself is up, and waits for us', () => {
  const deferral = new Deferral([1]);
  deferral.peerUp(1, []);
  expect(deferral.isOver).toBe(true);
});

test('a peer that is lost, or removed, holds nothing up', () => {
  const deferral = new Deferral([1, 2, 3]);
  deferral.peerUp(1, ['ipv4']);
  deferral.peerUp(2, ['ipv4']);
  deferral.endOfRib(2, 'ipv4');
  deferral.windowEnds();
  expect(deferral.isOver).toBe(false);
  deferral.peerDown(1);
  expect(deferral.isOver).toBe(true);

  const other = new Deferral([1]);
  other.peerRemoved(1);
  expect(other.isOver).toBe(true);
});

test('once over it stays over', () => {
  const deferral = new Deferral([1]);
  deferral.peerUp(1, []);
  expect(deferral.isOver).toBe(true);
  deferral.peerUp(1, ['ipv4']);
  expect(deferral.isOver).toBe(true);
});
