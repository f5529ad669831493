import { createHash } from 'node:crypto';
import { type NftChange, type NftElement, NftError, type NftHook } from './nftables.ts';

/**
 * What `nft -f` makes of a change.
 *
 * @param isMap Whether a set that is to be flushed has verdicts: nft asks that by another name.
 * @throws {NftError} If a text would end the statement that it is part of.
 */
export function scriptOf(
  change: NftChange,
  isMap: (table: string, set: string) => boolean,
): string {
  const { table } = change;
  switch (change.type) {
    case 'add-table':
      return `add table ${table} { }`; // without braces, a dormant table stays so
    case 'delete-table':
      return `delete table ${table}`;
    case 'add-chain':
      return `add chain ${table} ${change.chain}${change.hook ? ` { ${hookText(change.hook)} }` : ''}`;
    case 'flush-chain':
      return `flush chain ${table} ${change.chain}`;
    case 'delete-chain':
      return `delete chain ${table} ${change.chain}`;
    case 'add-rule':
      return `add rule ${table} ${change.chain} ${marked(change.rule)}`;
    case 'add-set': {
      const type = `type ${change.key.join(' . ')}${change.verdicts ? ' : verdict' : ''};`;
      const flags = change.interval ? ' flags interval;' : '';
      return `add ${change.verdicts ? 'map' : 'set'} ${table} ${change.set} { ${type}${flags} }`;
    }
    case 'flush-set':
      return `flush ${isMap(table, change.set) ? 'map' : 'set'} ${table} ${change.set}`;
    case 'delete-set':
      return `delete set ${table} ${change.set}`;
    case 'add-elements':
    case 'remove-elements': {
      const verb = change.type === 'add-elements' ? 'add' : 'delete';
      if (change.elements.length === 0) return '';
      const elements = change.elements.map((element) => elementText(element, verb));
      return `${verb} element ${table} ${change.set} { ${elements.join(', ')} }`;
    }
  }
}

/** Says by its text which rule it is. */
export function textFingerprint(rule: string): string {
  return createHash('sha256').update(rule).digest('hex').slice(0, 16);
}

const MARK = / ?#([0-9a-f]{16})$/;

/** The fingerprint in a rule's comment. */
export function fingerprintIn(comment: string | undefined): string | undefined {
  return MARK.exec(comment ?? '')?.[1];
}

/** The rule with its fingerprint at the end of its comment: nft itself has no other place for it. */
function marked(rule: string): string {
  if (/[\n;]/.test(rule)) throw new NftError(`add rule ${JSON.stringify(rule)}: more than a rule`);
  const mark = `#${textFingerprint(rule)}`;
  return /comment ".*"$/.test(rule) ? rule.replace(/"$/, ` ${mark}"`) : `${rule} comment "${mark}"`;
}

function hookText({ type, hook, priority, policy }: NftHook): string {
  return `type ${type} hook ${hook} priority ${priority}; policy ${policy};`;
}

function elementText({ key, verdict }: NftElement, verb: 'add' | 'delete'): string {
  const parts = key.split(' . ').map(quoted).join(' . ');
  return verdict === undefined || verb === 'delete' ? parts : `${parts} : ${verdict}`;
}

/** Names of interfaces are quoted: some are words of nft. Addresses cannot be, where they may be prefixes. */
function quoted(part: string): string {
  return /^(\d+|\d+-\d+|\d+(\.\d+){3}([-/].*)?|.*:.*)$/.test(part) ? part : `"${part}"`;
}
