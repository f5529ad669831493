import type { FaultTarget } from '@overland/lab';
import { UsageError } from '../command.ts';

/** Reads `link NODE:INTERFACE` or `node NODE`. @throws {UsageError} */
export function parseFaultTarget(what: string, target: string): FaultTarget {
  if (what === 'node') return { type: 'node', node: target };
  const [node = '', device = '', ...rest] = target.split(':');
  if (what === 'link' && node !== '' && device !== '' && rest.length === 0) {
    return { type: 'link', node, interface: device };
  }
  throw new UsageError(`expected 'link NODE:INTERFACE' or 'node NODE', not '${what} ${target}'`);
}
