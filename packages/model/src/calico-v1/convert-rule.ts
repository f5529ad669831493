import type { RuleV1, SideV1 } from './schema.ts';

/** Rules as v3 has them; nothing if there are none. */
export function convertRules(rules: readonly RuleV1[] | undefined): object[] | undefined {
  return rules?.map(({ source, destination, ...rest }) => ({
    ...rest,
    ...(source && { source: convertSide(source) }),
    ...(destination && { destination: convertSide(destination) }),
  }));
}

/** Tags are labels without a value now, and a single net is a list of one. */
function convertSide(side: SideV1): object {
  const { tag, net, nets, selector, notTag, notNet, notNets, notSelector, ...ports } = side;
  return Object.fromEntries(
    Object.entries({
      nets: together(nets, net),
      selector: withTag(selector, tag),
      notNets: together(notNets, notNet),
      notSelector: withTag(notSelector, notTag),
      ...ports,
    }).filter(([, value]) => value !== undefined),
  );
}

function together(several: readonly string[] = [], one?: string): readonly string[] | undefined {
  const all = one === undefined ? several : [...several, one];
  return all.length > 0 ? all : undefined;
}

function withTag(selector: string | undefined, tag: string | undefined): string | undefined {
  if (tag === undefined) return selector;
  return selector ? `(${selector}) && ${tag} == ''` : `${tag} == ''`;
}
