import { type NatRegisters, register } from './expression-writer.ts';
import type { RuleBuilder } from './rule-builder.ts';
import { named, VALUE_TYPES } from './value-types.ts';

const FLAGS: Readonly<Record<string, number>> = { random: 4, persistent: 8, 'fully-random': 16 };
const PORT_GIVEN = 2;
/** Of 16 octets each. */
const WORDS_APART = 4;

/** `10.0.0.1`, `10.0.0.1-10.0.0.9`, `10.0.0.1:80-90`, `[fd00::1]:80`, `:80`. */
const TARGET =
  /^(?:\[([^\]]+)\](?:-\[([^\]]+)\])?|([^:[\]-]+)(?:-([^:[\]-]+))?|([^[\]-]*:[^[\]-]*:[^[\]-]*)(?:-([^[\]-]+))?)?(?::(\d+)(?:-(\d+))?)?$/;

/** `snat ip to …`, `dnat to …`. */
export function compileNat(rule: RuleBuilder, type: 'snat' | 'dnat'): void {
  const { words } = rule;
  const family = words.skip('ip') ? 2 : words.skip('ip6') ? 10 : rule.known.network;
  if (family === undefined) throw words.unexpected('ip or ip6, of which nothing is known here');
  words.expect('to');
  const registers = readTarget(rule, family === 2 ? 'ipv4_addr' : 'ipv6_addr');
  rule.body.nat(type, family, registers);
}

/** `masquerade [to :1000-2000]`, `redirect to :80`. */
export function compilePortNat(rule: RuleBuilder, type: 'masquerade' | 'redirect'): void {
  const hasTarget = rule.words.skip('to');
  if (!hasTarget) {
    rule.body[type]({ flags: readFlags(rule) });
    return;
  }
  rule.body[type](readTarget(rule, undefined));
}

/** Loads where it leads. @param type Of the address; absent: there must be none. */
function readTarget(rule: RuleBuilder, type: 'ipv4_addr' | 'ipv6_addr' | undefined): NatRegisters {
  const { words } = rule;
  const word = words.take('an address or port');
  const what = type === undefined ? 'a port behind a colon' : VALUE_TYPES[type].what;
  const found = TARGET.exec(word.text);
  const [, boxed, boxedMax, plain, plainMax, long, longMax, portMin, portMax] = found ?? [];
  const addresses = [boxed ?? plain ?? long, boxedMax ?? plainMax ?? longMax];
  const [min] = addresses;
  if (!found || (min !== undefined) !== (type !== undefined)) throw words.error(word, what);
  if (portMin !== undefined && rule.known.transport === undefined) {
    throw words.fault('a port, although nothing is known of the protocol');
  }
  if (min === undefined && portMin === undefined) throw words.error(word, what);
  let next = 0;
  const put = (value: Uint8Array | undefined): number => {
    if (!value) throw words.error(word, what);
    const into = register(next);
    next += WORDS_APART;
    rule.body.immediate(into, value);
    return into;
  };
  const address = (text: string | undefined) =>
    text === undefined || !type ? {} : { into: put(VALUE_TYPES[type].parse(text)) };
  const port = (text: string | undefined) =>
    text === undefined ? {} : { into: put(VALUE_TYPES.inet_service.parse(text)) };
  const [from, to] = [address(addresses[0]), address(addresses[1])];
  const [first, last] = [port(portMin), port(portMax)];
  return {
    ...(from.into !== undefined && { addressMin: from.into }),
    ...(to.into !== undefined && { addressMax: to.into }),
    ...(first.into !== undefined && { portMin: first.into }),
    ...(last.into !== undefined && { portMax: last.into }),
    flags: readFlags(rule) | (portMin === undefined ? 0 : PORT_GIVEN),
  };
}

function readFlags({ words }: RuleBuilder): number {
  let flags = 0;
  do {
    const flag = named(FLAGS, words.peek());
    if (flag === undefined) break;
    words.take('a flag');
    flags |= flag;
  } while (words.skip(','));
  return flags;
}
