import { hash } from 'node:crypto';
import { type Expression, formatSelector } from '../selector/expression.ts';

/**
 * The stable name of a selector, as Calico has it: `s:` and the SHA-224 of `s:` and the canonical spelling, in
 * base64url without padding. Kernel sets and policy groups are named after it, so equal selectors share them.
 */
export function selectorId(expression: Expression): string {
  return `s:${hash('sha224', `s:${formatSelector(expression)}`, 'base64url')}`;
}
