import type { Expression } from './expression.ts';

/** A part of a selector that has no parts of its own. */
type Atom = Exclude<Expression, { readonly type: 'not' | 'and' | 'or' }>;

/** The selector with each of its atoms replaced. */
export function replaceAtoms(
  expression: Expression,
  replace: (atom: Atom) => Expression,
): Expression {
  switch (expression.type) {
    case 'not':
      return { type: 'not', operand: replaceAtoms(expression.operand, replace) };
    case 'and':
    case 'or': {
      const operands = expression.operands.map((operand) => replaceAtoms(operand, replace));
      return { type: expression.type, operands };
    }
    default:
      return replace(expression);
  }
}

/** What all of the selectors select; everything if there are none. */
export function allOf(expressions: readonly (Expression | undefined)[]): Expression {
  const operands = expressions.filter((expression) => expression !== undefined);
  const [only] = operands;
  if (!only) return { type: 'all' };
  return operands.length === 1 ? only : { type: 'and', operands };
}
