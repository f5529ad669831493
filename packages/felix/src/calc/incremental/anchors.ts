import type { Expression } from '@overland/model';

/** Labels that have a key, and with it a value; `undefined`: any. */
export interface LabelPattern {
  readonly key: string;
  readonly value: string | undefined;
}

/** Patterns of which labels must have one for a selector to hold. None: it holds for no labels. */
export type Anchor = readonly LabelPattern[];

/**
 * What must be true of labels for an expression to hold, as far as it can be looked up. Each anchor is a condition by
 * itself, so that the rarest can be chosen.
 *
 * @returns None if the expression can hold for labels of any kind: `all()`, `!has(a)`, `a != "b"`.
 */
export function anchorsOf(expression: Expression): Anchor[] {
  switch (expression.type) {
    case '==':
      return [[expression]];
    case 'in':
      return [expression.values.map((value) => ({ key: expression.key, value }))];
    case 'has':
    case 'contains':
    case 'starts with':
    case 'ends with':
      return [[{ key: expression.key, value: undefined }]];
    case 'and':
      return expression.operands.flatMap(anchorsOf);
    case 'or': {
      const choices = expression.operands.map((operand) => tightest(anchorsOf(operand)));
      return choices.every((anchor) => anchor !== undefined) ? [choices.flat()] : [];
    }
    default:
      return [];
  }
}

/** Values are rarer than keys. */
function tightest(anchors: readonly Anchor[]): Anchor | undefined {
  return (
    anchors.find((anchor) => anchor.every(({ value }) => value !== undefined)) ?? anchors.at(0)
  );
}
