/** A parsed label selector. */
export type Expression =
  | { readonly type: 'all' }
  /** Lacks a namespace; only where namespaces are selected. */
  | { readonly type: 'global' }
  | { readonly type: 'has'; readonly key: string }
  | { readonly type: '==' | '!='; readonly key: string; readonly value: string }
  | { readonly type: 'in' | 'not in'; readonly key: string; readonly values: readonly string[] }
  | {
      readonly type: 'contains' | 'starts with' | 'ends with';
      readonly key: string;
      readonly value: string;
    }
  | { readonly type: 'not'; readonly operand: Expression }
  | { readonly type: 'and' | 'or'; readonly operands: readonly Expression[] };

/** Labels of an object. */
export type Labels = Readonly<Record<string, string>>;

/** Whether an object with these labels is selected. Comparisons with a label that is absent are false, `!=` and `not in` true. */
export function matches(expression: Expression, labels: Labels): boolean {
  switch (expression.type) {
    case 'all':
      return true;
    case 'global':
      return !Object.hasOwn(labels, 'projectcalico.org/namespace');
    case 'not':
      return !matches(expression.operand, labels);
    case 'and':
      return expression.operands.every((operand) => matches(operand, labels));
    case 'or':
      return expression.operands.some((operand) => matches(operand, labels));
    default:
      return matchesLabel(
        expression,
        Object.hasOwn(labels, expression.key) ? labels[expression.key] : undefined,
      );
  }
}

type LabelTest = Extract<Expression, { readonly key: string }>;

function matchesLabel(test: LabelTest, label: string | undefined): boolean {
  switch (test.type) {
    case 'has':
      return label !== undefined;
    case '==':
      return label === test.value;
    case '!=':
      return label !== test.value;
    case 'in':
      return label !== undefined && test.values.includes(label);
    case 'not in':
      return label === undefined || !test.values.includes(label);
    case 'contains':
      return label?.includes(test.value) ?? false;
    case 'starts with':
      return label?.startsWith(test.value) ?? false;
    case 'ends with':
      return label?.endsWith(test.value) ?? false;
  }
}

/** Whether `global()` stands anywhere in an expression. */
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

/** The canonical spelling, which parses to the same expression: Calico's, so that equal selectors have equal ids. */
export function formatSelector(expression: Expression): string {
  switch (expression.type) {
    case 'all':
    case 'global':
      return `${expression.type}()`;
    case 'has':
      return `has(${expression.key})`;
    case 'not':
      // Parsing leaves no two in a row; rewriting may.
      return expression.operand.type === 'not'
        ? formatSelector(expression.operand.operand)
        : `!${formatSelector(expression.operand)}`;
    case 'and':
      return `(${expression.operands.map(formatSelector).join(' && ')})`;
    case 'or':
      return `(${expression.operands.map(formatSelector).join(' || ')})`;
    case 'in':
    case 'not in':
      return `${expression.key} ${expression.type} {${expression.values.map(quote).join(', ')}}`;
    default:
      return `${expression.key} ${expression.type} ${quote(expression.value)}`;
  }
}

// The language has no escapes: a value with both kinds of quotes cannot be written, so none can be parsed.
function quote(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}
