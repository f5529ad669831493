import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { traceTable } from './trace-table.ts';
import { waysOf, wayText } from './trace-text.ts';
import { type TracedPacket, TraceReader } from './traced-packet.ts';

/** As nft 1.0.6 prints it, two packets at once; a chain's way is cut. */
const LINES = `\
trace id 47d58c75 inet overland-trace-1 prerouting packet: iif "cali1" ether saddr 62:cf:f4:94:a8:13 ip saddr 10.0.0.1 ip daddr 10.0.1.1 ip protocol tcp ip length 60 tcp sport 35270 tcp dport 22 tcp flags == syn tcp window 64240 
trace id 47d58c75 inet overland-trace-1 prerouting rule ip saddr 10.0.0.1 ip daddr 10.0.1.1 meta l4proto tcp meta nftrace set 1 (verdict continue)
trace id f7f426eb inet overland-trace-1 prerouting packet: iif "cali1" ip saddr 10.0.0.1 ip daddr 10.0.1.1 tcp dport 80
trace id 47d58c75 inet overland-trace-1 prerouting policy accept 
trace id 47d58c75 inet overland forward packet: iif "cali1" oif "eth1" ip saddr 10.0.0.1 ip daddr 10.0.1.1 tcp dport 22
trace id 47d58c75 inet overland from-workload rule iifname vmap @m (verdict goto from-cali1)
trace id f7f426eb inet overland forward policy accept meta mark 0x00010000 
trace id 47d58c75 inet overland pol rule tcp dport 22 goto denied (verdict goto denied)
trace id 47d58c75 inet overland denied rule limit rate 5/second log group 2 (verdict continue)
trace id 47d58c75 inet overland denied rule drop (verdict drop)
some other line
`;

function packets(): TracedPacket[] {
  const reader = new TraceReader('inet overland-trace-1');
  for (const line of LINES.split('\n')) reader.line(line);
  return ['47d58c75', 'f7f426eb'].flatMap((id) => reader.take(id) ?? []);
}

test('lines of packets that alternate become the way of each', () => {
  const [dropped, passed] = packets();
  expect(dropped).toMatchObject({ input: 'cali1', output: 'eth1', isDropped: true });
  expect(dropped?.steps.map(({ chain, verdict }) => `${chain}: ${verdict}`)).toEqual([
    'from-workload: goto from-cali1',
    'pol: goto denied',
    'denied: continue',
    'denied: drop',
  ]);
  expect(passed).toMatchObject({
    isDropped: false,
    steps: [{ table: 'inet overland', chain: 'forward', verdict: 'accept' }],
  });
});

test('packets that took the same way are shown once', () => {
  const [dropped] = packets();
  const ways = waysOf([...packets(), { ...(dropped as TracedPacket), id: 'other' }]);
  expect(ways.map((way) => wayText(way, coloursFor({}, {}))).join('\n')).toBe(`\
2 packets in by cali1, out by eth1: dropped
  inet overland from-workload  iifname vmap @m -> goto from-cali1
  inet overland pol            tcp dport 22 goto denied
  inet overland denied         limit rate 5/second log group 2
  inet overland denied         drop

1 packet in by cali1: let through
  inet overland forward  (end of the chain) accept
`);
});

const place = (...addresses: string[]) => ({
  kind: 'address' as const,
  name: 'x',
  addresses: addresses.map(parseAddress),
});

test('packets are marked by the addresses of both ends that have one family, and by what they are', () => {
  const from = place('10.0.0.1', 'fd00::1');
  const table = (kind: { protocol: number; destinationPort?: number; icmpType?: number }) =>
    traceTable('t', { from, to: place('10.0.1.1', 'fd00::2'), kind });
  const tcp = table({ protocol: 6, destinationPort: 443 });
  expect(tcp?.match(/\bip6? saddr .*/g)?.slice(0, 2)).toEqual([
    'ip saddr 10.0.0.1 ip daddr 10.0.1.1 meta l4proto 6 th dport 443 meta nftrace set 1',
    'ip6 saddr fd00::1 ip6 daddr fd00::2 meta l4proto 6 th dport 443 meta nftrace set 1',
  ]);
  expect(table({ protocol: 1, icmpType: 8 })).toContain('meta l4proto 1 icmp type 8 meta nftrace');
  expect(traceTable('t', { from, to: place(), kind: { protocol: 47 } })).toBeUndefined();
});
