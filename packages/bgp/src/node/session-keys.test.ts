import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePrefix } from '@overland/net';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { peerConfig } from '../../test/two-speakers.ts';
import type { PeerConfig } from '../core/config.ts';
import { SessionKeys } from './session-keys.ts';

const directory = mkdtempSync(join(tmpdir(), 'keys-'));
afterAll(() => rmSync(directory, { recursive: true }));

function withPassword(password: PeerConfig['password'], address = '10.1.0.1'): PeerConfig {
  return { ...peerConfig(address, 65001), ...(password && { password }) };
}

/** The key, or why there is none. */
function keyOf(peer: PeerConfig, others: readonly PeerConfig[] = []): string | undefined {
  using keys = new SessionKeys(pino({ level: 'silent' }), () => undefined);
  keys.configure({ peers: [peer, ...others] });
  try {
    const key = keys.keyOf(peer);
    return key && new TextDecoder().decode(key);
  } catch (error) {
    return String(error);
  }
}

function keyFile(name: string, text: string): PeerConfig {
  writeFileSync(join(directory, name), text);
  return withPassword({ file: join(directory, name) });
}

test('a key comes from the configuration or from a file, whose last line feed is not part of it', () => {
  expect(keyOf(withPassword(undefined))).toBeUndefined();
  expect(keyOf(withPassword({ value: 's3cret' }))).toBe('s3cret');
  expect(keyOf(keyFile('unix', 's3cret\n'))).toBe('s3cret');
  expect(keyOf(keyFile('dos', 's3cret\r\n'))).toBe('s3cret');
  expect(keyOf(keyFile('spaces', ' a b \n\n'))).toBe(' a b \n');
  expect(keyOf(keyFile('longest', `${'x'.repeat(80)}\r\n`))).toBe('x'.repeat(80));
});

test.each([
  ['a file that is not there', () => withPassword({ file: join(directory, 'none') }), 'ENOENT'],
  ['a directory', () => withPassword({ file: directory }), 'not a file'],
  ['an empty file', () => keyFile('empty', '\n'), 'is empty'],
  ['a file that is too long', () => keyFile('long', 'x'.repeat(100_000)), 'longer than 80 octets'],
  ['a value that is too long', () => withPassword({ value: 'ä'.repeat(41) }), 'longer than 80'],
])('%s is no key, and no session', (_what, peer, reason) => {
  expect(keyOf(peer())).toMatch(reason);
});

test('sockets that listen know keys by address and range, of those that can be had', () => {
  using keys = new SessionKeys(pino({ level: 'silent' }), () => undefined);
  const peers = [
    withPassword({ value: 'one' }),
    withPassword(undefined, '10.1.0.2'),
    withPassword({ file: join(directory, 'none') }, '10.1.0.3'),
  ];
  const range = (prefix: string, password: PeerConfig['password']) => {
    return { prefix: parsePrefix(prefix), limit: 9, peer: withPassword(password) };
  };
  const listenRanges = [range('10.2.0.0/24', { value: 'many' }), range('10.3.0.0/24', undefined)];
  keys.configure({ peers, listenRanges });
  expect([...keys.byAddress().keys()]).toEqual(['10.1.0.1', '10.2.0.0/24']);
  const guest = { ...withPassword({ value: 'many' }, '10.2.0.9'), range: listenRanges[0]?.prefix };
  expect(keys.keyOf(guest as PeerConfig)).toEqual(new TextEncoder().encode('many'));
});
