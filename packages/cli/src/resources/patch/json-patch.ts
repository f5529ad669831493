import { isJsonObject, sameJson } from '@overland/model';
import { UsageError } from '../../command.ts';

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test'] as const;

interface Operation {
  readonly op: (typeof OPERATIONS)[number];
  readonly path: readonly string[];
  readonly from: readonly string[];
  readonly value: unknown;
  /** For messages: `operation 2 (add /spec/x)`. */
  readonly subject: string;
}

/** JSON Patch, RFC 6902: all operations or none. @throws {UsageError} That names the operation at fault. */
export function jsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new UsageError('a JSON patch is a list of operations');
  let value = structuredClone(target);
  for (const [index, given] of patch.entries()) value = perform(value, readOperation(given, index));
  return value;
}

function perform(root: unknown, { op, path, from, value, subject }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(root, path, value, subject);
    case 'remove':
      return remove(root, path, subject).root;
    case 'replace': {
      if (path.length === 0) return value;
      return add(remove(root, path, subject).root, path, value, subject);
    }
    case 'move': {
      if (from.length < path.length && from.every((step, i) => step === path[i]))
        throw new UsageError(`${subject}: a value cannot be moved into itself`);
      const taken = remove(root, from, subject);
      return add(taken.root, path, taken.value, subject);
    }
    case 'copy':
      return add(root, path, structuredClone(valueAt(root, from, subject)), subject);
    case 'test':
      if (!sameJson(valueAt(root, path, subject), value))
        throw new UsageError(`${subject}: something else stands there`);
      return root;
    default:
      return op satisfies never;
  }
}

function add(root: unknown, path: readonly string[], value: unknown, subject: string): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  const parent = valueAt(root, path.slice(0, -1), subject);
  if (Array.isArray(parent)) {
    const index = last === '-' ? parent.length : indexOf(last, parent.length + 1, subject);
    parent.splice(index, 0, value);
  } else if (isJsonObject(parent)) setField(parent, last, value);
  else throw new UsageError(`${subject}: there is no object or list to add to`);
  return root;
}

function remove(
  root: unknown,
  path: readonly string[],
  subject: string,
): { readonly root: unknown; readonly value: unknown } {
  const value = valueAt(root, path, subject);
  const last = path.at(-1);
  if (last === undefined) return { root: null, value };
  const parent = valueAt(root, path.slice(0, -1), subject);
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else Reflect.deleteProperty(parent as object, last);
  return { root, value };
}

function valueAt(root: unknown, path: readonly string[], subject: string): unknown {
  let value = root;
  for (const step of path) {
    if (Array.isArray(value)) value = value[indexOf(step, value.length, subject)];
    else if (isJsonObject(value) && Object.hasOwn(value, step)) value = value[step];
    else throw new UsageError(`${subject}: there is no ${step}`);
  }
  return value;
}

function indexOf(step: string, length: number, subject: string): number {
  const index = /^(0|[1-9]\d*)$/.test(step) ? Number(step) : Number.NaN;
  if (!(index < length)) throw new UsageError(`${subject}: ${step} is no index of the list`);
  return index;
}

/** Also for names such as `__proto__`. */
function setField(object: object, name: string, value: unknown): void {
  const field = { value, writable: true, enumerable: true, configurable: true };
  Object.defineProperty(object, name, field);
}

function readOperation(given: unknown, index: number): Operation {
  const { op, path, from, value } = isJsonObject(given) ? given : {};
  const known = OPERATIONS.find((name) => name === op);
  const subject = `operation ${index + 1} (${String(op)} ${String(path)})`;
  if (!known) throw new UsageError(`${subject}: op must be one of ${OPERATIONS.join(', ')}`);
  const needsValue = known === 'add' || known === 'replace' || known === 'test';
  if (needsValue && value === undefined) throw new UsageError(`${subject}: value is missing`);
  const needsFrom = known === 'move' || known === 'copy';
  return {
    op: known,
    path: readPointer(path, 'path', subject),
    from: needsFrom ? readPointer(from, 'from', subject) : [],
    value: structuredClone(value),
    subject,
  };
}

/** JSON Pointer, RFC 6901. */
function readPointer(pointer: unknown, field: string, subject: string): string[] {
  if (typeof pointer !== 'string' || !/^(\/([^~/]|~[01])*)*$/.test(pointer)) {
    throw new UsageError(`${subject}: ${field} must be a JSON pointer, as /spec/disabled`);
  }
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
