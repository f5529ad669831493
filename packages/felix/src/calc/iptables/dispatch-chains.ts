import { comment } from './words.ts';

/** Interfaces that one chain asks for by name, before it asks for their next character. */
const MAX_NAMES = 8;
/** Characters that a branch's name has room for, after the longest root's. */
const MAX_DEPTH = 5;
const UNKNOWN: readonly string[] = [`${comment('Unknown interface')} -j DROP`];

/**
 * Chains that lead packets to the chain of their interface: a tree over the characters of the names, so that a packet
 * meets few rules however many workloads there are.
 *
 * @param root Name of the chain that is asked first.
 * @param option `-i` or `-o`.
 * @param targets Interface to its chain.
 * @param others What becomes of packets of a name that is not among them.
 * @returns Chain to its rules, `root` among them.
 */
export function dispatchChains(
  root: string,
  option: '-i' | '-o',
  targets: ReadonlyMap<string, string>,
  others: readonly string[] = UNKNOWN,
): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  const names = [...targets.keys()].toSorted();
  const start = commonPrefix(names).length;
  const fill = (chain: string, here: readonly string[], depth: number): void => {
    const rules: string[] = [];
    chains.set(chain, rules);
    const isLeaf = here.length <= MAX_NAMES || depth === MAX_DEPTH;
    const branches = isLeaf
      ? here.map((name): [string, string[]] => [name, [name]])
      : [...Map.groupBy(here, (name) => name.slice(0, start + depth + 1))];
    for (const [prefix, below] of branches) {
      const [only] = below;
      if (below.length === 1 && only !== undefined) {
        rules.push(`${option} ${only} -g ${targets.get(only)}`);
        continue;
      }
      const branch = `${root}-${prefix.slice(start)}`;
      rules.push(`${option} ${prefix}+ -g ${branch}`);
      fill(branch, below, depth + 1);
    }
    rules.push(...others);
  };
  fill(root, names, 0);
  return chains;
}

/** Of names in order: what first and last have in common, all have. */
function commonPrefix(names: readonly string[]): string {
  const [first = '', last = ''] = [names[0], names.at(-1)];
  let length = 0;
  while (length < first.length && first[length] === last[length]) length += 1;
  return first.slice(0, length);
}
