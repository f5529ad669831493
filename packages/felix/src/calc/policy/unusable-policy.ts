import { API_VERSION, isJsonObject, parseSelector, type ResourceName } from '@overland/model';
import type { Policy } from './placement.ts';

/**
 * What stands in for a stored policy that cannot be read: one without rules, closed for whom it selects, in the
 * directions it is about. Of its scope holds what can be read; the rest is taken as wide as it can be, since whom it was
 * to protect is not known. In a namespace, that is the namespace.
 *
 * @param name By which it is stored; what it calls itself counts more.
 * @param unusable.stored As it was read from JSON, in the form of a manifest; `undefined`: it is none.
 * @param unusable.fault Why it cannot be read.
 */
export function unusablePolicy(
  kind: 'NetworkPolicy' | 'GlobalNetworkPolicy',
  name: ResourceName,
  { stored, fault }: { readonly stored: unknown; readonly fault: string },
): Policy {
  const { spec: written, metadata: named } = isJsonObject(stored) ? stored : {};
  const given = isJsonObject(written) ? written : {};
  const ownName = isJsonObject(named) && typeof named.name === 'string' ? named.name : name.name;
  const metadata = { namespace: name.namespace, name: ownName };
  const isOf = (field: string) => given[field] === true;
  const spec = {
    tier: typeof given.tier === 'string' ? given.tier : 'default',
    order: orderOf(given.order),
    selector: selectorOf(given.selector),
    serviceAccountSelector: selectorOf(given.serviceAccountSelector),
    types: typesOf(given),
    ...(kind === 'GlobalNetworkPolicy' && {
      namespaceSelector: selectorOf(given.namespaceSelector),
      doNotTrack: isOf('doNotTrack'),
      preDNAT: isOf('preDNAT'),
      applyOnForward: isOf('applyOnForward'),
    }),
  };
  return { apiVersion: API_VERSION, kind, metadata, spec, fault } as Policy;
}

/** What has an order that cannot be read comes first: it would close what comes before others. */
function orderOf(order: unknown): number | undefined {
  if (order === undefined || order === null) return undefined;
  return typeof order === 'number' ? order : Number.NEGATIVE_INFINITY;
}

function selectorOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    parseSelector(text);
    return text;
  } catch {
    return undefined;
  }
}

const TYPES: readonly unknown[] = ['Ingress', 'Egress'];

/** As of a policy that can be read; what is not known may be either. */
function typesOf({
  types,
  ingress,
  egress,
}: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Array.isArray(types) && types.length > 0) {
    return types.every((type) => TYPES.includes(type)) ? types : TYPES;
  }
  const isGiven = (rules: unknown) =>
    rules !== undefined && !(Array.isArray(rules) && rules.length === 0);
  if (!isGiven(egress)) return ['Ingress'];
  return isGiven(ingress) ? TYPES : ['Egress'];
}
