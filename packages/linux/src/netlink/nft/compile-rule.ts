import { createHash } from 'node:crypto';
import { compileStatement } from './compile-statement.ts';
import { type AnonymousSet, RuleBuilder } from './rule-builder.ts';
import { RuleWords } from './rule-words.ts';

/** A rule as the kernel takes it, without its place. */
export interface CompiledRule {
  /** Value of NFTA_RULE_EXPRESSIONS; identifiers of sets are still 0. */
  readonly expressions: Uint8Array;
  /** Their `identifierAt` counts from the start of `expressions`. */
  readonly sets: readonly AnonymousSet[];
  /** Value of NFTA_RULE_USERDATA. */
  readonly userdata: Uint8Array;
  /** Equal for rules that do the same and are commented the same. */
  readonly fingerprint: string;
}

/** What nft keeps in the user data: type, length, value. It skips types that it does not know. */
const COMMENT = 0;
const FINGERPRINT = 0x4f;
const FINGERPRINT_OCTETS = 8;
const MAX_COMMENT_OCTETS = 128;

const utf8 = new TextEncoder();

/**
 * Compiles a rule, written as nft writes it, to expressions of nf_tables, the same as those of nft: what nft lists then is
 * what was written.
 *
 * The language is what {@link compileStatement} and `rule-fields.ts` know. Rules are in a table of family inet.
 *
 * @throws {NftError} Naming the word that is not understood and its position. Nothing is ever left out.
 */
export function compileRule(text: string): CompiledRule {
  const rule = new RuleBuilder(new RuleWords(text));
  const { words } = rule;
  let comment: Uint8Array | undefined;
  let hasEnded = false;
  if (words.isDone) throw words.unexpected('a rule');
  while (!words.isDone) {
    if (words.skip('comment')) {
      comment = utf8.encode(`${words.take('a text').text}\0`);
      if (comment.length > MAX_COMMENT_OCTETS) {
        throw words.fault(`a comment of more than ${MAX_COMMENT_OCTETS - 1} octets`);
      }
      hasEnded = true;
      if (!words.isDone) throw words.unexpected('the end: a comment is last');
    } else if (hasEnded) {
      throw words.unexpected('the end: nothing comes to this');
    } else {
      hasEnded = compileStatement(rule);
    }
  }
  const front = rule.front.octets();
  const expressions = joined([front, rule.body.octets()]);
  const sets = rule.sets.map((set) => ({ ...set, identifierAt: set.identifierAt + front.length }));
  const print = digest(expressions, sets, comment);
  const userdata = joined([
    ...(comment ? [Uint8Array.of(COMMENT, comment.length), comment] : []),
    Uint8Array.of(FINGERPRINT, print.length),
    print,
  ]);
  return { expressions, sets, userdata, fingerprint: hex(print) };
}

/** Finds the fingerprint in the user data of a rule. @returns `undefined` if it is not from here. */
export function fingerprintOf(userdata: Uint8Array): string | undefined {
  for (let at = 0; at + 2 <= userdata.length; ) {
    const [type, length = 0] = [userdata[at], userdata[at + 1]];
    const value = userdata.subarray(at + 2, at + 2 + length);
    if (type === FINGERPRINT && value.length === FINGERPRINT_OCTETS) return hex(value);
    at += 2 + length;
  }
  return undefined;
}

function digest(
  expressions: Uint8Array,
  sets: readonly AnonymousSet[],
  comment: Uint8Array | undefined,
): Uint8Array {
  const hash = createHash('sha256').update(expressions);
  for (const { elements, isInterval } of sets) {
    hash.update(`set ${isInterval} `);
    for (const { key, isEnd = false, verdict } of elements) {
      hash.update(key).update(` ${isEnd} ${verdict?.code} ${verdict?.chain} `);
    }
  }
  if (comment) hash.update('comment').update(comment);
  return hash.digest().subarray(0, FINGERPRINT_OCTETS);
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex');
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
