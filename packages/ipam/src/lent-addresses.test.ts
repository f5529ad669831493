import { parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import { assignFree } from './assign-in-block.ts';
import { newBlock } from './block.ts';
import { lentAddresses } from './lent-addresses.ts';

const AT = new Date('2026-11-24T06:00:00Z');
const HOST11 = { type: 'host', name: 'host11' } as const;

test.each(['10.65.0.0/26', 'fd00:65::/122'])('addresses of %s that another node holds', (cidr) => {
  let { block } = assignFree(newBlock(parsePrefix(cidr), HOST11, AT), 2, {
    handle: 'web',
    attributes: { node: 'host11' },
  });
  ({ block } = assignFree(block, 1, { handle: 'db', attributes: { node: 'host12' } }));
  ({ block } = assignFree(block, 1, { handle: 'who', attributes: {} }));
  expect(lentAddresses(block, 'host11')).toEqual([
    cidr.startsWith('10') ? '10.65.0.2/32' : 'fd00:65::2/128',
  ]);
  expect(lentAddresses(newBlock(parsePrefix(cidr), HOST11, AT), 'host11')).toEqual([]);
});
