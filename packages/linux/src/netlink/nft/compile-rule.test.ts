import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NftError } from '../../nftables.ts';
import { compileRule, fingerprintOf } from './compile-rule.ts';

test.each([
  ['iif lo accept', '"iif", not a statement'],
  ['ip sadr 10.0.0.1 drop', '"sadr", not a field of ip: ttl, protocol, saddr, daddr'],
  ['ip saddr fd00::1 drop', '"fd00::1", not an IPv4 address'],
  ['ip saddr 10.0.0.0/33 drop', '"10.0.0.0/33", not an IPv4 address'],
  ['ip saddr 10.0.0.9-10.0.0.1 drop', 'not an IPv4 address'],
  ['ip saddr { } drop', 'a list of nothing'],
  ['ip saddr { 10.0.0.1 drop', '"drop", not }'],
  ['ip saddr 10.0.0.1 ip6 daddr fd00::1 drop', 'of another IP version than before'],
  ['tcp dport 80 udp dport 80 drop', 'of another protocol than before'],
  ['tcp dport 65536 drop', '"65536", not a port'],
  ['tcp dport', 'the end, not a port'],
  ['accept drop', '"drop", not the end'],
  ['drop comment "a" accept', '"accept", not the end'],
  ['log prefix "abc', 'a quote is not closed'],
  ['jump', 'the end, not a chain'],
  ['dnat ip to 10.0.0.1:80', 'nothing is known of the protocol'],
  ['dnat to 10.0.0.1', 'ip or ip6'],
  ['limit rate 0/second drop', 'not a rate'],
  ['constructor', '"constructor", not a statement'],
  ['meta mark constructor drop', '"constructor", not a mark'],
  ['ct state __proto__ drop', 'not a state of connection tracking'],
  ['ip daddr vmap { 10.0.0.0/8 : accept, 10.1.0.0/16 : drop }', 'keys that overlap'],
  ['meta mark 1-5 drop', '"1-5", not a mark'],
  ['', 'the end, not a rule'],
  [`drop comment "${'x'.repeat(200)}"`, 'a comment of more than 127 octets'],
])('%s is refused, saying where', (rule, reason) => {
  let refusal: unknown;
  try {
    compileRule(rule);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(NftError);
  expect(String(refusal)).toContain(reason);
  expect(String(refusal)).toMatch(/position \d+/);
});

test('any words make a rule or an NftError, in any order', () => {
  const text =
    'ip ip6 tcp th meta ct fib saddr daddr dport type l4proto mark state set and or == != { } , ( ) | . : @x ' +
    'vmap 10.0.0.0/8 10.0.0.1-10.0.0.2 fd00::1 80 0x10 "cali*" jump goto accept drop reject with icmp log prefix ' +
    'group limit rate over 10/second burst packets counter snat dnat to 10.0.0.1:80 comment constructor / & oif missing';
  const words = fc.array(fc.constantFrom(...text.split(' ')), { maxLength: 12 });
  fc.assert(
    fc.property(
      fc.oneof(
        words.map((some) => some.join(' ')),
        fc.string(),
      ),
      (rule) => {
        try {
          expect(compileRule(rule).expressions.length % 4).toBe(0);
        } catch (error) {
          expect(error).toBeInstanceOf(NftError);
        }
      },
    ),
    { numRuns: 3000, seed: 5 },
  );
});

test('a fingerprint says what a rule does and how it is commented, not how it is written', () => {
  const { fingerprint, userdata } = compileRule(
    'meta mark set meta mark or 0x1 accept comment "a"',
  );
  expect(fingerprintOf(userdata)).toBe(fingerprint);
  const same = compileRule('meta mark set mark | 1  accept comment "a"');
  expect(same.fingerprint).toBe(fingerprint);
  const others = [
    'meta mark set meta mark or 0x2 accept comment "a"',
    'meta mark set mark | 1 accept',
  ];
  for (const rule of others) expect(compileRule(rule).fingerprint).not.toBe(fingerprint);
  const [one, other] = ['80', '81'].map((port) => compileRule(`th dport { 22, ${port} } accept`));
  expect(one?.fingerprint).not.toBe(other?.fingerprint);
});

test('of user data that is not from here, there is no fingerprint', () => {
  for (const octets of [[], [0, 2, 65, 0], [0x4f], [0x4f, 8, 1], [0x4f, 1, 1], [0, 200]]) {
    expect(fingerprintOf(Uint8Array.from(octets))).toBeUndefined();
  }
});
