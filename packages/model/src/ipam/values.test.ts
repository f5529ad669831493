import { describe, expect, test } from 'vitest';
import { decodeAffinity, encodeAffinity } from './affinity.ts';
import { decodeBlock, encodeBlock } from './block.ts';
import { DEFAULT_IPAM_CONFIG, decodeIpamConfig, encodeIpamConfig } from './config.ts';
import { decodeHandle, encodeHandle } from './handle.ts';

/** As Calico writes it; see calico.md section 2.3. */
const BLOCK = JSON.stringify({
  cidr: '10.0.0.0/30',
  affinity: 'host:h1',
  affinity_claim_time: '2026-01-05T10:00:00Z',
  allocations: [0, null, 1, null],
  unallocated: [3],
  attributes: [
    { handle_id: 'net.c1', secondary: { pod: 'p', node: 'h1' }, alternateOwnerAttrs: { pod: 'q' } },
    { handle_id: null, secondary: null, releasedAt: '2026-01-05T10:00:00Z', later: 1 },
  ],
  sequenceNumber: 'SEQ',
  sequenceNumberForAllocation: { 0: 'SEQ' },
  deleted: false,
  fromTheFuture: [1],
}).replaceAll('"SEQ"', '1789012345678901235');

describe('block', () => {
  test('what Calico wrote is read, and written back as it was', () => {
    const block = decodeBlock(BLOCK);
    expect(block).toMatchObject({
      cidr: '10.0.0.0/30',
      affinity: 'host:h1',
      allocations: [0, null, 1, null],
      sequenceNumber: 1789012345678901235n,
      sequenceNumberForAllocation: { 0: 1789012345678901235n },
      unknown: { fromTheFuture: [1] },
    });
    expect(encodeBlock(block)).toBe(BLOCK);
  });

  test('null lists of Go are empty, a legacy hostAffinity is an affinity', () => {
    const text =
      '{"cidr":"10.0.0.0/32","affinity":null,"hostAffinity":"h1","allocations":[null],"unallocated":null,"attributes":null,"sequenceNumber":0,"sequenceNumberForAllocation":null,"deleted":false}';
    expect(decodeBlock(text)).toMatchObject({
      affinity: 'host:h1',
      unallocated: [],
      attributes: [],
    });
  });

  test.each([
    ['', 'not JSON'],
    ['[]', 'not a JSON object'],
    ['{}', 'is no prefix'],
    ['{"cidr":"10.0.0.1/24"}', 'is no prefix'],
    ['{"cidr":"10.0.0.0/31","allocations":[null]}', 'has 1 allocations, not 2'],
    ['{"cidr":"10.0.0.0/32","allocations":["x"]}', 'is not an ordinal'],
    ['{"cidr":"10.0.0.0/32","allocations":{}}', 'allocations is not a list'],
    ['{"cidr":"10.0.0.0/32","allocations":[null],"sequenceNumber":1.5}', 'not a whole number'],
  ])('%j: %s', (text, wanted) => {
    expect(() => decodeBlock(text)).toThrow(wanted);
  });
});

describe('affinity', () => {
  test('reads and writes', () => {
    const text = '{"state":"pendingDeletion","deleted":false}';
    expect(decodeAffinity(text).state).toBe('pendingDeletion');
    expect(encodeAffinity(decodeAffinity(text))).toBe(text);
  });
  test('an empty value is confirmed', () => {
    expect(decodeAffinity('').state).toBe('confirmed');
    expect(decodeAffinity('{"state":"","deleted":false}').state).toBe('confirmed');
  });
  test('an unknown state is refused by name', () => {
    expect(() => decodeAffinity('{"state":"lost"}')).toThrow('unknown state lost');
  });
});

test('handle', () => {
  const text = '{"block":{"10.0.0.0/26":2},"deleted":false,"later":true}';
  expect(decodeHandle(text).blocks).toEqual({ '10.0.0.0/26': 2 });
  expect(encodeHandle(decodeHandle(text))).toBe(text);
  expect(decodeHandle('{"block":null}').blocks).toEqual({});
});

describe('configuration', () => {
  test('a missing auto_allocate_blocks is false', () => {
    expect(decodeIpamConfig('{"strict_affinity":true}')).toMatchObject({
      strictAffinity: true,
      autoAllocateBlocks: false,
    });
    expect(DEFAULT_IPAM_CONFIG.autoAllocateBlocks).toBe(true);
  });
  test('zeroes are left out', () => {
    const text =
      '{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":4,"kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":30}';
    expect(encodeIpamConfig(decodeIpamConfig(text))).toBe(text);
    expect(encodeIpamConfig({ ...DEFAULT_IPAM_CONFIG, autoAllocateBlocks: false })).toBe('{}');
  });
});
