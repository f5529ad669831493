import { compileMatch } from './compile-match.ts';
import { compileNat, compilePortNat } from './compile-nat.ts';
import { register } from './expression-writer.ts';
import { isVerdict, readVerdict } from './read-verdict.ts';
import type { RuleBuilder } from './rule-builder.ts';
import { CT_MARK, type Field, META_MARK } from './rule-fields.ts';
import { named, numberOf, octetsOf, VALUE_TYPES } from './value-types.ts';

/** Compiles the next statement or match. @returns Whether the rule has ended with it. @throws {NftError} */
export function compileStatement(rule: RuleBuilder): boolean {
  const { words } = rule;
  const word = words.peek();
  if (isVerdict(word)) {
    rule.body.verdict(readVerdict(words));
    return true;
  }
  if ((word === 'meta' || word === 'ct') && words.peek(1) === 'mark' && words.peek(2) === 'set') {
    words.skip(word, 'mark', 'set');
    compileMark(rule, word);
    return false;
  }
  if ((word === 'ip' || word === 'ip6') && words.skip(word, 'dscp', 'set')) {
    compileCodePoint(rule, word);
    return false;
  }
  if (words.skip('ct', 'count')) {
    const isOver = words.skip('over');
    rule.body.connectionLimit(readNumber(rule, 'a number of connections'), isOver);
    return false;
  }
  const compile = named(STATEMENTS, word);
  if (!compile) {
    compileMatch(rule);
    return false;
  }
  words.take('a statement');
  return compile(rule);
}

/** By their first word. @returns Whether the rule ends with it. */
const STATEMENTS: Readonly<Record<string, (rule: RuleBuilder) => boolean>> = {
  counter(rule) {
    if (rule.words.skip('packets')) {
      readNumber(rule, 'a number of packets');
      rule.words.expect('bytes');
      readNumber(rule, 'a number of octets');
    }
    rule.body.counter();
    return false;
  },
  notrack(rule) {
    rule.body.noTracking();
    return false;
  },
  log(rule) {
    compileLog(rule);
    return false;
  },
  limit(rule) {
    compileLimit(rule);
    return false;
  },
  reject(rule) {
    compileReject(rule);
    return true;
  },
  snat(rule) {
    compileNat(rule, 'snat');
    return true;
  },
  dnat(rule) {
    compileNat(rule, 'dnat');
    return true;
  },
  masquerade(rule) {
    compilePortNat(rule, 'masquerade');
    return true;
  },
  redirect(rule) {
    compilePortNat(rule, 'redirect');
    return true;
  },
};

/** `meta mark set 0x1`, `ct mark set meta mark and 0xff or 0x10`. */
function compileMark(rule: RuleBuilder, into: 'meta' | 'ct'): void {
  const { words } = rule;
  const source = readMarkField(rule);
  if (source) {
    rule.load(source);
    const { mask, xor } = readOperations(rule);
    if (mask !== 0xffff_ffff || xor !== 0) rule.body.bitwise(hostOrder(mask), hostOrder(xor));
  } else {
    const word = words.take(VALUE_TYPES.mark.what);
    const value = VALUE_TYPES.mark.parse(word.text);
    if (!value) throw words.error(word, VALUE_TYPES.mark.what);
    rule.body.immediate(register(0), value);
  }
  rule.body.store(into, MARK_KEY);
}

/** The same of meta and of ct. */
const MARK_KEY = 3;

function readMarkField({ words }: RuleBuilder): Field | undefined {
  if (words.skip('meta', 'mark') || words.skip('mark')) return META_MARK;
  return words.skip('ct', 'mark') ? CT_MARK : undefined;
}

/** What `and`, `or` and `xor` make of a mark, one after the other: (mark & mask) ^ xor. */
function readOperations(rule: RuleBuilder): { readonly mask: number; readonly xor: number } {
  const { words } = rule;
  let [mask, xor] = [0xffff_ffff, 0];
  for (;;) {
    if (words.skip('and') || words.skip('&')) {
      const value = readNumber(rule, 'a mask');
      mask &= value;
      xor &= value;
    } else if (words.skip('or') || words.skip('|')) {
      const value = readNumber(rule, 'bits to set');
      mask &= ~value;
      xor |= value;
    } else if (words.skip('xor') || words.skip('^')) {
      xor ^= readNumber(rule, 'bits to change');
    } else {
      return { mask: mask >>> 0, xor: xor >>> 0 };
    }
  }
}

function hostOrder(value: number): Uint8Array {
  return octetsOf(value, 4, true);
}

const MAX_DSCP = 63;

/** Where the first two octets of a header keep a code point, and where the header keeps its checksum. */
const CODE_POINTS = {
  ip: { family: 2, shift: 2, checksum: 10 },
  ip6: { family: 10, shift: 6, checksum: undefined },
} as const;

/** `ip dscp set 46`. */
function compileCodePoint(rule: RuleBuilder, version: 'ip' | 'ip6'): void {
  const { family, shift, checksum } = CODE_POINTS[version];
  const value = readNumber(rule, `a code point up to ${MAX_DSCP}`, MAX_DSCP);
  rule.need({ network: family });
  rule.body.load({ load: FIRST_OCTETS, octets: 2, into: register(0) });
  const kept = 0xffff & ~(MAX_DSCP << shift);
  rule.body.bitwise(octetsOf(kept, 2, false), octetsOf(value << shift, 2, false));
  rule.body.writeNetworkHeader(FIRST_OCTETS.offset, checksum);
}

const FIRST_OCTETS = { from: 'payload', base: 1, offset: 0 } as const;

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];
const MAX_PREFIX_OCTETS = 127;

function compileLog(rule: RuleBuilder): void {
  const { words } = rule;
  const options: { prefix?: string; group?: number; level?: number } = {};
  for (;;) {
    if (words.skip('prefix')) {
      options.prefix = words.take('a text').text;
      if (new TextEncoder().encode(options.prefix).length > MAX_PREFIX_OCTETS) {
        throw words.fault(`a text of more than ${MAX_PREFIX_OCTETS} octets`);
      }
    } else if (words.skip('group')) {
      options.group = readNumber(rule, 'a group up to 65535', 0xffff);
    } else if (words.skip('level')) {
      const word = words.take('a level');
      options.level = LEVELS.indexOf(word.text);
      if (options.level < 0) throw words.error(word, `one of ${LEVELS.join(', ')}`);
    } else {
      break;
    }
  }
  if (options.group !== undefined && options.level !== undefined) {
    throw words.fault('a group and a level, of which only one can be');
  }
  rule.body.log(options);
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
};
const OCTETS: Readonly<Record<string, number>> = { bytes: 1, kbytes: 1024, mbytes: 1024 ** 2 };
const DEFAULT_BURST_PACKETS = 5;

/** `limit rate [over] 10/second [burst 5 packets]`, `limit rate 10 mbytes/second`. */
function compileLimit(rule: RuleBuilder): void {
  const { words } = rule;
  words.expect('rate');
  const isOver = words.skip('over');
  const what = 'a rate, such as 10/second or 10 kbytes/second';
  const word = words.take(what);
  const text = word.text.includes('/') ? word.text : `${word.text} ${words.take(what).text}`;
  const [, number = '', scale, unit = ''] = /^(\d{1,10})(?: ([a-z]+))?\/([a-z]+)$/.exec(text) ?? [];
  const unitSeconds = named(UNIT_SECONDS, unit);
  const factor = scale === undefined ? 1 : named(OCTETS, scale);
  const rate = Number(number) * (factor ?? 0);
  if (unitSeconds === undefined || rate === 0) throw words.error(word, what);
  const isOctets = scale !== undefined;
  const burst = words.skip('burst') ? readBurst(rule, isOctets) : undefined;
  rule.body.limit({
    rate,
    unitSeconds,
    burst: burst ?? (isOctets ? 0 : DEFAULT_BURST_PACKETS),
    isOctets,
    isOver,
  });
}

function readBurst(rule: RuleBuilder, isOctets: boolean): number {
  const burst = readNumber(rule, 'a burst');
  const unit = rule.words.take('a unit');
  const factor = isOctets ? named(OCTETS, unit.text) : undefined;
  if (isOctets ? factor === undefined : unit.text !== 'packets') {
    throw rule.words.error(unit, isOctets ? 'bytes, kbytes or mbytes' : 'packets');
  }
  return burst * (factor ?? 1);
}

const REJECTIONS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  icmpx: { 'no-route': 0, 'port-unreachable': 1, 'host-unreachable': 2, 'admin-prohibited': 3 },
  icmp: {
    'net-unreachable': 0,
    'host-unreachable': 1,
    'prot-unreachable': 2,
    'port-unreachable': 3,
    'net-prohibited': 9,
    'host-prohibited': 10,
    'admin-prohibited': 13,
  },
  icmpv6: {
    'no-route': 0,
    'admin-prohibited': 1,
    'addr-unreachable': 3,
    'port-unreachable': 4,
    'policy-fail': 5,
    'reject-route': 6,
  },
};

function compileReject(rule: RuleBuilder): void {
  const { words } = rule;
  if (!words.skip('with')) {
    rule.body.reject(2, 1);
    return;
  }
  if (words.skip('tcp', 'reset')) {
    rule.need({ transport: 6 }, rule.front);
    rule.body.reject(1, 0);
    return;
  }
  const kind = words.take('tcp reset, icmp, icmpv6 or icmpx');
  const codes = named(REJECTIONS, kind.text);
  if (!codes) throw words.error(kind, 'tcp reset, icmp, icmpv6 or icmpx');
  words.skip('type');
  const word = words.take('a reason');
  const code = named(codes, word.text);
  if (code === undefined) throw words.error(word, `one of ${Object.keys(codes).join(', ')}`);
  if (kind.text !== 'icmpx') rule.need({ network: kind.text === 'icmp' ? 2 : 10 }, rule.front);
  rule.body.reject(kind.text === 'icmpx' ? 2 : 0, code);
}

function readNumber({ words }: RuleBuilder, what: string, most = 0xffff_ffff): number {
  const word = words.take(what);
  const value = numberOf(word.text);
  if (value === undefined || value > most) throw words.error(word, what);
  return value;
}
