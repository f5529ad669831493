import type { Expression } from './expression.ts';

/** Whether `global()` stands anywhere in a selector. */
export function usesGlobal(expression: Expression): boolean {
  switch (expression.type) {
    case 'global':
      return true;
    case 'not':
      return usesGlobal(expression.operand);
    case 'and':
    case 'or':
      return expression.operands.some(usesGlobal);
    default:
      return false;
  }
}
