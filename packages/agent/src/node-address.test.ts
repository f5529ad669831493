import type { NetworkInterfaceInfo } from 'node:os';
import { expect, test } from 'vitest';
import { type HostInterfaces, nodeAddress } from './node-address.ts';

function interfaces(table: Readonly<Record<string, readonly string[]>>): HostInterfaces {
  const info = (cidr: string) => ({ cidr }) as NetworkInterfaceInfo;
  return Object.fromEntries(Object.entries(table).map(([name, list]) => [name, list.map(info)]));
}

const HOST = interfaces({
  lo: ['127.0.0.1/8', '10.0.0.11/32', '::1/128', 'fd00::11/128'],
  eth1: ['10.1.0.1/31', 'fe80::2/64'],
});

test("a routed host's identity is on its loopback interface", () => {
  expect(nodeAddress('ipv4', 'autodetect', HOST)).toBe('10.0.0.11/32');
  expect(nodeAddress('ipv6', 'autodetect', HOST)).toBe('fd00::11/128');
});

test('otherwise the first uplink counts, never a bridge of containers or a link-local address', () => {
  const plain = interfaces({
    lo: ['127.0.0.1/8', '::1/128'],
    docker0: ['172.17.0.1/16'],
    eth0: ['169.254.3.1/16', 'fe80::1/64', '192.0.2.7/24'],
  });
  expect(nodeAddress('ipv4', 'autodetect', plain)).toBe('192.0.2.7/24');
  expect(nodeAddress('ipv6', 'autodetect', plain)).toBeUndefined();
});

test('a literal address is taken as it is, and none is none', () => {
  expect(nodeAddress('ipv4', '10.9.9.9', HOST)).toBe('10.9.9.9');
  expect(nodeAddress('ipv6', 'none', HOST)).toBeUndefined();
});
