import { type Labels, matches, parseSelector } from '@overland/model';
import { UsageError } from '../command.ts';

const EQUALITY = /^([A-Za-z0-9_./-]+)(==?|!=)([A-Za-z0-9_.-]*)$/;

/**
 * A test of labels from `--selector`: Calico's selector language (`rack == 'r1' && has(role)`), or kubectl's short form
 * (`rack=r1,role!=leaf`).
 *
 * @throws {UsageError} If it is neither.
 */
export function labelSelector(text: string): (labels: Labels) => boolean {
  const pairs = text.split(',').map((part) => EQUALITY.exec(part.trim()));
  const isShort = text !== '' && pairs.every((pair) => pair !== null);
  const selector = isShort
    ? pairs
        .map((pair) => `${pair?.[1]} ${pair?.[2] === '!=' ? '!=' : '=='} '${pair?.[3]}'`)
        .join(' && ')
    : text;
  try {
    const expression = parseSelector(selector);
    return (labels) => matches(expression, labels);
  } catch (error) {
    throw new UsageError(`--selector: ${error instanceof Error ? error.message : String(error)}`);
  }
}
