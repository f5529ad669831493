import type { NftElement, NftHook, NftSetSpec } from '@overland/linux';

/** Chains and sets of the table, by name: what a part of the packet filter should hold. */
export interface NftObjects {
  readonly sets: ReadonlyMap<string, NftSetObject>;
  readonly chains: ReadonlyMap<string, NftChainObject>;
}

export interface NftSetObject extends NftSetSpec {
  readonly elements: readonly NftElement[];
}

export interface NftChainObject {
  /** Absent: other chains lead to it. */
  readonly hook?: NftHook | undefined;
  readonly rules: readonly string[];
}

/** As lines within a table of a file for `nft -f`: sets first, then chains, none before one that it leads to. */
export function objectsText({ sets, chains }: NftObjects): string[] {
  return [
    ...[...sets].flatMap(([name, set]) =>
      block(`${set.verdicts ? 'map' : 'set'} ${name}`, setText(set)),
    ),
    ...[...chains].flatMap(([name, { hook, rules }]) =>
      block(`chain ${name}`, [...(hook ? [hookText(hook)] : []), ...rules]),
    ),
  ];
}

function setText({ key, verdicts, interval, elements }: NftSetObject): string[] {
  const isName = key[0] === 'ifname';
  const texts = elements.map(({ key: text, verdict }) => {
    const quoted = isName ? text.replace(/^[^ ]+/, '"$&"') : text;
    return verdict === undefined ? quoted : `${quoted} : ${verdict}`;
  });
  return [
    `type ${key.join(' . ')}${verdicts ? ' : verdict' : ''}`,
    ...(interval ? ['flags interval'] : []),
    ...(texts.length > 0 ? [`elements = { ${texts.join(', ')} }`] : []),
  ];
}

function hookText({ type, hook, priority, policy }: NftHook): string {
  return `type ${type} hook ${hook} priority ${priority}; policy ${policy};`;
}

/** Lines of a block in braces. */
export function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `\t${line}`), '}'];
}
