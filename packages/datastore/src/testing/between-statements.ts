import { type DatabaseSync, StatementSync } from 'node:sqlite';

/** The same database, or statement, with something done before each statement that is executed. */
export function betweenStatements<T extends DatabaseSync | StatementSync>(
  target: T,
  beforeStatement: () => void,
): T {
  return new Proxy(target, {
    get(_target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (name !== 'prepare') beforeStatement();
        const result: unknown = member.apply(target, args);
        return result instanceof StatementSync
          ? betweenStatements(result, beforeStatement)
          : result;
      };
    },
  });
}
