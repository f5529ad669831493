import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { NftChange, NftHook } from '../nftables.ts';
import { netns, type TestNamespace } from '../testing/netns.ts';
import { openNftables } from './open-nftables.ts';

const table = 'inet t';
const hook = (hook: NftHook['hook'], type: NftHook['type'], priority: number): NftHook => ({
  type,
  hook,
  priority,
  policy: 'accept',
});
const CHAINS: readonly (readonly [name: string, hook?: NftHook])[] = [
  ['egress/NetworkPolicy/prod/web.v1'],
  ['plain'],
  ['early', hook('prerouting', 'filter', -300)],
  ['before', hook('prerouting', 'nat', -100)],
  ['after', hook('postrouting', 'nat', 100)],
  ['input', hook('input', 'filter', 0)],
  ['forward', { ...hook('forward', 'filter', -1), policy: 'drop' }],
  ['output', hook('output', 'route', -150)],
];
const FRAME: readonly NftChange[] = [
  { type: 'add-table', table },
  { type: 'add-set', table, set: 'nets', key: ['ipv4_addr'], interval: true },
  { type: 'add-set', table, set: 's:abc-v6'.replace(':', '-'), key: ['ipv6_addr'] },
  { type: 'add-set', table, set: 'ports', key: ['ipv4_addr', 'inet_proto', 'inet_service'] },
  { type: 'add-set', table, set: 'ports6', key: ['ipv6_addr', 'inet_proto', 'inet_service'] },
  { type: 'add-set', table, set: 'sources', key: ['ifname', 'ipv4_addr'] },
  { type: 'add-set', table, set: 'sources6', key: ['ifname', 'ipv6_addr'], interval: true },
  { type: 'add-set', table, set: 'macs', key: ['ifname', 'ether_addr'] },
  { type: 'add-set', table, set: 'known', key: ['ifname'], verdicts: true },
  { type: 'add-set', table, set: 'pairs', key: ['ifname', 'ipv4_addr'], verdicts: true },
  ...CHAINS.map(
    ([chain, at]): NftChange => ({ type: 'add-chain', table, chain, ...(at && { hook: at }) }),
  ),
];

/** All forms that the language has. */
const RULES: Readonly<Record<string, string>> = {
  plain: `
iifname "cali*" drop
iifname "cali1" jump egress/NetworkPolicy/prod/web.v1
meta iifname cali1 return
oifname != "eth0" goto egress/NetworkPolicy/prod/web.v1
iifname != "cali*" accept
iifname { "cali1", "cali2" } drop
iifname { "cali*", "eth0" } drop
meta iiftype ether accept
meta pkttype multicast accept
meta nfproto ipv4 accept
meta nfproto != ipv6 accept
meta l4proto 6 return
meta l4proto != 17 return
meta l4proto sctp accept
meta l4proto 99 accept
meta l4proto { 6, 17 } accept
meta l4proto { tcp, udp } th dport 53 accept
meta l4proto { 6 } th dport 1 drop
meta mark set meta mark and 0xfffcffff
meta mark set meta mark & 0xfffcffff
meta mark set meta mark or 0x00010000
meta mark set meta mark | 0x00010000
meta mark set meta mark xor 0x00010000
meta mark set mark and 0xff or 0x10
meta mark set 0x10
meta mark set meta mark or 0x00020000 return
meta mark set ct mark
meta mark set ct mark and 0xff
meta mark and 0x10000 == 0x10000 return
meta mark and 0x00020000 == 0x00000000 drop
meta mark & 0x10000 != 0x0 drop
meta mark 0x10 drop
meta mark { 0x1, 0x2 } drop
meta mark and 0xf vmap { 0x1 : drop, 0x2 : jump egress/NetworkPolicy/prod/web.v1 }
ct state established,related return
ct state invalid drop
ct state new drop
ct state != new drop
ct state == established drop
ct state untracked accept
ct state { established, related } accept
ct state vmap { established : accept, related : accept, invalid : drop }
ct status dnat accept
ct status & dnat == dnat accept
ct direction original accept
ct mark 0x1 accept
ct mark and 0xf == 0x1 accept
ct mark set meta mark
ct mark set 0x5
ct mark set meta mark and 0xff
ct mark set ct mark or 0xff
ct original ip daddr 10.0.0.1 accept
ct reply ip6 saddr fd00::1 accept
ct original ip daddr 10.0.0.0/12 accept
ip saddr 10.0.0.1 drop
ip saddr != 10.0.0.1 drop
ip daddr 10.0.0.0/8 drop
ip daddr 10.0.0.0/12 drop
ip daddr != 10.0.0.0/12 drop
ip daddr != 10.0.0.0/24 drop
ip daddr 224.0.0.0/4 accept
ip daddr 0.0.0.0/0 accept
ip daddr 10.0.0.1-10.0.0.5 drop
ip daddr != 10.0.0.1-10.0.0.5 drop
ip daddr { 10.0.0.0/8, 192.168.0.1 } drop
ip daddr != { 10.0.0.0/8, 192.168.0.1 } drop
ip daddr { 10.0.0.1, 192.168.0.1, 10.0.0.1 } drop
ip daddr { 10.0.0.1 } drop
ip daddr != { 10.0.0.0/8 } drop
ip daddr { 10.0.0.0/8, 10.1.0.0/16 } drop
ip daddr { 0.0.0.0/1, 255.0.0.0/8 } drop
ip daddr { 10.0.0.0/25, 10.0.0.128/25, 10.0.1.0/24 } drop
ip daddr vmap { 10.0.0.0/8 : accept, 11.0.0.1 : drop }
ip saddr 10.0.0.1 ip daddr 10.0.0.2 accept
ip daddr 10.0.0.1 ip saddr 10.0.0.2 drop
ip saddr . ip daddr { 10.0.0.1 . 10.0.0.2, 10.0.0.3 . 10.0.0.4 } accept
ip ttl 1 drop
ip protocol 6 accept
ip protocol tcp tcp dport 80 accept
ip protocol vmap { 6 : accept, 17 : goto egress/NetworkPolicy/prod/web.v1 }
ip6 daddr { fd00::/8, ::1 } drop
ip6 saddr fe80::/10 accept
ip6 saddr fe80::1 accept
ip6 saddr :: accept
ip6 daddr ff02::/16 accept
ip6 daddr fd00::/48 drop
ip6 daddr fd00::/24 drop
ip6 daddr fd00::/64 drop
ip6 daddr fd00::5-fd00::9 drop
ip6 hoplimit 255 accept
ip6 nexthdr icmpv6 icmpv6 type 1 accept
ip saddr @nets accept
ip saddr != @nets accept
ip6 saddr @s-abc-v6 accept
ip daddr . meta l4proto . th dport @ports accept
ip6 daddr . meta l4proto . th dport != @ports6 accept
ip daddr . meta l4proto . th dport vmap { 10.0.0.1 . 6 . 80 : drop }
ip6 saddr . icmpv6 type { fe80::1 . 134 } drop
ip daddr . th dport { 10.0.0.1 . 80 } drop
meta nfproto ipv4 meta l4proto 6 ip saddr 10.0.0.1 th dport { 80, 100-200 } accept
meta nfproto ipv4 ip saddr 10.0.0.1 ip daddr 10.0.0.2 meta l4proto 6 tcp sport 1 tcp dport 2 drop
th dport 80 accept
th sport != { 80, 100-200 } accept
th dport { 80, 81, 80-90, 91 } drop
th dport vmap { 80 : accept, 90-99 : drop }
tcp dport 80 accept
tcp dport 80-90 accept
tcp dport != 80-90 accept
tcp dport 0-65535 drop
tcp dport { 1-2, 5-65535 } drop
tcp dport != 80 accept
tcp dport >= 1024 drop
tcp dport < 1024 drop
tcp dport { 22, 179 } accept
tcp flags syn drop
tcp flags & (syn | ack) == syn drop
tcp flags & (fin|syn|rst|ack) == syn drop
tcp flags syn / fin,syn,rst,ack drop
udp dport 53 accept
udp dport { 67, 68 } accept
udp sport 67 udp dport 68 accept
sctp dport 53 accept
icmp type 8 accept
icmp type echo-request accept
icmp type != 8 accept
icmp type { 8, 0 } accept
icmp code 0 accept
meta l4proto 1 icmp type 8 accept
meta nfproto ipv4 meta l4proto 1 icmp type 8 icmp code != 1 accept
icmpv6 type 128 accept
icmpv6 code != 1 accept
icmpv6 type { 133, 135, 136 } accept
icmpv6 type { nd-neighbor-solicit, mld-listener-report, mld2-listener-report } accept
icmpv6 type nd-router-advert drop
ether saddr 00:11:22:33:44:55 accept
iifname "cali1" ether saddr != 00:11:22:33:44:55 drop
ether saddr 00:11:22:33:44:55 ip saddr 10.0.0.1 accept
iifname . ether saddr @macs accept
iifname . ip saddr @sources accept
iifname . ip saddr != @sources drop
iifname . ip6 saddr != @sources6 drop
iifname . ip saddr vmap @pairs
oifname . ip daddr vmap { "cali1" . 10.0.0.1 : drop }
iifname vmap @known
oifname vmap @known
fib daddr type { local, broadcast } accept
log prefix "abc" group 1
log prefix "NetworkPolicy prod/web 1 " group 1 drop
log prefix "abc "
log group 2 drop
log prefix "x" level info
counter accept
counter packets 0 bytes 0 drop
limit rate 10/second accept
limit rate over 10/second drop
limit rate over 10/second burst 20 packets drop
limit rate 10/minute burst 5 packets accept
limit rate 10/hour accept
limit rate over 10 mbytes/second drop
limit rate over 10 mbytes/second burst 5 kbytes drop
ip dscp set 46
ip6 dscp set 46
iifname "cali1" ip dscp set 0 accept
ct count over 10 drop
ct count 10 accept
ct state new ct count over 5 drop
reject
reject with icmpx port-unreachable
reject with icmpx admin-prohibited
reject with tcp reset
meta l4proto 6 reject with tcp reset
ip saddr 10.0.0.1 reject with tcp reset
reject with icmp port-unreachable
icmp type 8 reject with icmp host-prohibited
meta nfproto ipv4 reject with icmp type port-unreachable
reject with icmpv6 admin-prohibited
accept comment "hello"
ip saddr 10.0.0.1 accept comment "GlobalNetworkPolicy a.b: rule 1; \u00fc"
continue
return
accept
drop`,
  early: `
fib saddr . iif oif missing drop
fib saddr . iif oif exists accept
fib saddr . mark . iif oif missing drop
fib daddr type local accept
fib daddr . iif type local accept
notrack
ip daddr 10.0.0.1 udp dport 53 notrack return`,
  before: `
dnat ip to 10.0.0.1
dnat ip to 10.0.0.1 random
ip daddr 10.0.0.1 dnat to 10.0.0.2
tcp dport 80 dnat ip to 10.0.0.1:8080
tcp dport 80 dnat ip6 to [fd00::1]:8080
meta l4proto 17 ip6 daddr fd00::2 udp dport 80 dnat to [fd00::1]:8080
meta l4proto 6 dnat ip to 10.0.0.1:8080
dnat ip6 to fd00::1
fib daddr type local tcp dport 80 dnat ip to 10.0.0.1:80
meta l4proto tcp redirect to :8080
redirect`,
  after: `
masquerade
masquerade random
masquerade fully-random
meta l4proto 6 masquerade to :1000-2000
tcp dport 80 masquerade to :1000-2000 fully-random
ip saddr @nets ip daddr != @nets masquerade
snat ip to 10.0.0.1
meta nfproto ipv4 snat to 10.0.0.1
snat ip to 10.0.0.1-10.0.0.9
meta l4proto 6 snat ip to 10.0.0.1:1000-2000
snat ip6 to fd00::1
snat ip6 to fd00::1-fd00::9 persistent`,
};

const rulesOf = Object.entries(RULES).flatMap(([chain, text]) =>
  text
    .trim()
    .split('\n')
    .map((rule) => ({ chain, rule })),
);

/** Runs `nft -f -`. */
async function load(ns: TestNamespace, script: string): Promise<void> {
  const child = execFile('ip', ['netns', 'exec', ns.name, 'nft', '-f', '-']);
  let errors = '';
  child.stderr?.on('data', (text: string) => {
    errors += text;
  });
  child.stdin?.end(script);
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(errors);
}

const list = (ns: TestNamespace, ...options: string[]) =>
  ns.exec(['nft', '-s', ...options, 'list', 'ruleset']);

/** Of each rule, in order of chains: what `nft --debug=netlink` shows of it, without user data. */
async function expressions(ns: TestNamespace): Promise<string[]> {
  const rules: string[] = [];
  for (const line of (await list(ns, '--debug=netlink')).split('\n')) {
    if (/^inet t \S+ \d+/.test(line)) rules.push('');
    else if (/^ {2}\[/.test(line)) rules[rules.length - 1] += `${line}\n`;
  }
  return rules;
}

/** nft loads some neighbouring fields together; their expressions are other ones, and do the same. */
const IS_MERGED = [
  /udp sport 67 udp dport 68/,
  /tcp sport 1 tcp dport 2/,
  /ether saddr .* ip saddr/,
];

test('rules over netlink are those of nft: the same expressions, listed the same', async () => {
  await using mine = await netns();
  await using theirs = await netns();
  using nftables = openNftables({ namespace: mine.path });
  using other = openNftables({ namespace: theirs.path });
  await nftables.transact(FRAME);
  await other.transact(FRAME);
  expect(await list(mine)).toBe(await list(theirs));
  await nftables.transact(
    rulesOf.map(({ chain, rule }) => ({ type: 'add-rule', table, chain, rule })),
  );
  const script = rulesOf.map(({ chain, rule }) => `add rule ${table} ${chain} ${rule}`);
  await load(theirs, script.join('\n'));
  expect(await list(mine)).toBe(await list(theirs));
  const [ours, wanted] = [await expressions(mine), await expressions(theirs)];
  expect(ours).toHaveLength(rulesOf.length);
  for (const [i, { rule }] of rulesOf.entries()) {
    if (!IS_MERGED.some((form) => form.test(rule))) expect(ours[i], rule).toBe(wanted[i]);
  }
});
