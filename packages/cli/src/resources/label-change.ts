import { UsageError } from '../command.ts';

/** The label has another value, and must not be overwritten. */
class LabelExistsError extends Error {
  override readonly name = 'LabelExistsError';
}

/** The label that is to be removed is not there. */
class LabelNotFoundError extends Error {
  override readonly name = 'LabelNotFoundError';
}

/** What a label is to be. */
interface LabelChange {
  readonly key: string;
  /** `undefined`: gone. */
  readonly value: string | undefined;
}

/** `key=value` each, or keys that are to be removed. @throws {UsageError} */
export function parseLabelChanges(typed: readonly string[], isRemoval: boolean): LabelChange[] {
  const changes = typed.map((text): LabelChange => {
    const at = text.indexOf('=');
    if (isRemoval) {
      if (at >= 0) throw new UsageError(`--remove wants the key alone: ${text.slice(0, at)}`);
      return { key: text, value: undefined };
    }
    if (at <= 0) throw new UsageError(`'${text}' is not a label: key=value, or key with --remove`);
    return { key: text.slice(0, at), value: text.slice(at + 1) };
  });
  const keys = changes.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw new UsageError(`the label ${twice} is given twice`);
  return changes;
}

/**
 * The labels after the changes.
 *
 * @throws {LabelExistsError | LabelNotFoundError} If one has another value, or is to be removed and not there.
 */
export function changeLabels(
  subject: string,
  before: Readonly<Record<string, string>>,
  { changes, overwrite }: { readonly changes: readonly LabelChange[]; readonly overwrite: boolean },
): Record<string, string> {
  const labels = new Map(Object.entries(before));
  for (const { key, value } of changes) {
    const current = labels.get(key);
    if (value === undefined) {
      if (!labels.delete(key)) throw new LabelNotFoundError(`${subject} has no label ${key}`);
    } else if (current !== undefined && current !== value && !overwrite) {
      throw new LabelExistsError(
        `${subject} has the label ${key}=${current} already: --overwrite changes it`,
      );
    } else labels.set(key, value);
  }
  return Object.fromEntries(labels);
}
