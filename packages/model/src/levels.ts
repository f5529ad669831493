import type { Fault } from './validation.ts';

/** Most levels of an object. Calico's have about ten; whoever walks over an object may recurse. */
const MAX_LEVELS = 100;

/** The fault of a value that is too deep to be walked over by recursion. Does not recurse itself. */
export function levelFaults(root: unknown): Fault[] {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_LEVELS) {
      return [{ path: '', value: undefined, rule: `must have at most ${MAX_LEVELS} levels` }];
    }
    level = level.flatMap(containersIn);
  }
  return [];
}

function containersIn(value: unknown): readonly unknown[] {
  const inner = Array.isArray(value) ? value : Object.values(value ?? {});
  return inner.filter((item) => typeof item === 'object' && item !== null);
}
