import { expect, test } from 'vitest';
import { peerConfig } from '../../../test/machine-script.ts';
import type { AddPath } from '../wire/add-path.ts';
import { NO_CAPABILITIES } from '../wire/capabilities.ts';
import { commonAddPath, localAddPath } from './add-path.ts';

const capabilities = (...addPath: AddPath[]) => ({ ...NO_CAPABILITIES, addPath });
const entry = (family: 'ipv4' | 'ipv6', receive: boolean, send: boolean): AddPath => ({
  family,
  receive,
  send,
});

test('a direction needs a sender and a taker, for each family (RFC 7911 section 4)', () => {
  const sent = capabilities(entry('ipv4', true, true), entry('ipv6', true, false));
  const received = capabilities(entry('ipv4', true, false), entry('ipv6', true, true));
  expect(commonAddPath(sent, received, ['ipv4', 'ipv6'])).toEqual({
    receive: ['ipv6'],
    send: ['ipv4'],
  });
});

test('a family that the session is not for has no path identifiers', () => {
  const both = capabilities(entry('ipv4', true, true), entry('ipv6', true, true));
  expect(commonAddPath(both, both, ['ipv6'])).toEqual({ receive: ['ipv6'], send: ['ipv6'] });
  expect(commonAddPath(both, NO_CAPABILITIES, ['ipv4'])).toEqual({ receive: [], send: [] });
});

test('nothing is announced that is not asked for', () => {
  const families = ['ipv4', 'ipv6'] as const;
  expect(localAddPath({ ...peerConfig, families })).toEqual([]);
  expect(localAddPath({ ...peerConfig, families, addPath: { receive: false } })).toEqual([]);
  expect(localAddPath({ ...peerConfig, families, addPath: { receive: true } })).toEqual([
    entry('ipv4', true, false),
    entry('ipv6', true, false),
  ]);
});
