import type { RuleSide } from '../policy/rule-schema.ts';
import type { Expression } from '../selector/expression.ts';
import { parseSelector } from '../selector/parse.ts';
import { allOf, replaceAtoms } from '../selector/rewrite.ts';
import {
  NAMESPACE_LABEL,
  NAMESPACE_PREFIX,
  SERVICE_ACCOUNT_LABEL,
  SERVICE_ACCOUNT_PREFIX,
} from './label-names.ts';

/** The parts of a policy that say which endpoints it is about. */
export interface PolicyScope {
  readonly metadata: { readonly namespace?: string | undefined };
  readonly spec: {
    readonly selector?: string | undefined;
    readonly namespaceSelector?: string | undefined;
    readonly serviceAccountSelector?: string | undefined;
  };
}

/**
 * Which endpoints a policy is about, as one selector of the labels they have in the end (`endpointLabels`). A policy of
 * a namespace is about that one only.
 */
export function policySelector({ metadata: { namespace }, spec }: PolicyScope): Expression {
  const accounts = parsed(spec.serviceAccountSelector);
  return allOf([
    parsed(spec.selector),
    namespace ? inNamespace(namespace) : namespaces(spec.namespaceSelector),
    accounts && onServiceAccounts(accounts, !namespace),
  ]);
}

/**
 * Which endpoints one side of a rule is about: its selector, namespaceSelector and service accounts together. Its
 * notSelector is apart from it.
 *
 * @param namespace Of the policy, if it has one. Selectors without a namespaceSelector are about this one only; a side
 *   that names but nets and ports is about every namespace, and none.
 * @returns `undefined` if the side does not tell endpoints apart by labels.
 */
export function sideSelector(
  side: RuleSide,
  namespace: string | undefined,
): Expression | undefined {
  const selectors = [serviceAccounts(side.serviceAccounts), parsed(side.selector)];
  const selects = selectors.some((selector) => selector !== undefined) || Boolean(side.notSelector);
  const own = namespace && selects ? inNamespace(namespace) : undefined;
  const all = [namespaces(side.namespaceSelector) ?? own, ...selectors];
  return all.some((selector) => selector !== undefined) ? allOf(all) : undefined;
}

/** A selector of namespaces, as one of the labels that their workloads inherit. */
function namespaces(text: string | undefined): Expression | undefined {
  const selector = parsed(text);
  const isNamespaced: Expression = { type: 'has', key: NAMESPACE_LABEL };
  return (
    selector &&
    replaceAtoms(selector, (atom) => {
      // Whatever has no namespace is in none of "all namespaces".
      if (atom.type === 'all') return isNamespaced;
      if (atom.type === 'global') return { type: 'not', operand: isNamespaced };
      return { ...atom, key: NAMESPACE_PREFIX + atom.key };
    })
  );
}

/** @param mustHaveOne Whether `all()` leaves out what has no service account: so it is without a namespace, in Calico. */
function onServiceAccounts(selector: Expression, mustHaveOne: boolean): Expression {
  return replaceAtoms(selector, (atom) => {
    if (atom.type === 'all') {
      return mustHaveOne ? { type: 'has', key: SERVICE_ACCOUNT_LABEL } : atom;
    }
    return atom.type === 'global' ? atom : { ...atom, key: SERVICE_ACCOUNT_PREFIX + atom.key };
  });
}

function serviceAccounts(match: RuleSide['serviceAccounts']): Expression | undefined {
  const selector = parsed(match?.selector);
  const names = match?.names ?? [];
  const byName: Expression | undefined =
    names.length === 0
      ? undefined
      : { type: 'in', key: SERVICE_ACCOUNT_LABEL, values: [...new Set(names)].toSorted() };
  if (!selector) return byName;
  return allOf([onServiceAccounts(selector, false), byName]);
}

function inNamespace(namespace: string): Expression {
  return { type: '==', key: NAMESPACE_LABEL, value: namespace };
}

function parsed(text: string | undefined): Expression | undefined {
  return text ? parseSelector(text) : undefined;
}
