import { isJsonObject, type JsonValue } from '@overland/model';
import { parseYaml } from '@overland/model/yaml';
import { UsageError } from '../command.ts';
import type { AskedFlow } from './ask-flow.ts';
import { parseFlowKind } from './flow-kind.ts';

/** One line of a file of expectations. */
export interface Expectation {
  readonly name: string;
  readonly flow: AskedFlow;
  readonly expect: 'allow' | 'deny';
}

const FIELDS = ['name', 'from', 'to', 'port', 'ipVersion', 'expect'];
const MAX_TESTS = 100_000;

/**
 * Reads a file of expectations: `tests:`, a list of `{ name, from, to, port, ipVersion, expect: allow | deny }`, of which
 * name and ipVersion may be absent.
 *
 * @param file Its name, for errors.
 * @throws {UsageError} With every fault and its path.
 */
export function parseExpectations(text: string, file: string): Expectation[] {
  const [document, ...others] = parseYaml(text);
  if (!document || others.length > 0) throw new UsageError(`${file}: must be one document`);
  if ('error' in document) throw new UsageError(`${file}: ${document.error.message}`);
  const { value } = document;
  const tests = isJsonObject(value) ? value.tests : undefined;
  if (!Array.isArray(tests)) throw new UsageError(`${file}: tests: must be a list`);
  if (tests.length > MAX_TESTS) {
    throw new UsageError(`${file}: tests: has ${tests.length} items: at most ${MAX_TESTS}`);
  }
  const faults: string[] = [];
  const expectations = tests.flatMap((test: JsonValue, i) => {
    const path = `tests[${i}]`;
    try {
      return [expectationOf(test, path)];
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults.push(`${file}: ${error.message}`);
      return [];
    }
  });
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return expectations;
}

function expectationOf(test: JsonValue, path: string): Expectation {
  if (!isJsonObject(test)) throw new UsageError(`${path}: must be an object`);
  const unknown = Object.keys(test).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) throw new UsageError(`${path}.${unknown}: unknown field`);
  const text = (field: string): string => {
    const value = test[field];
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
    throw new UsageError(
      `${path}.${field}: ${value === undefined ? 'missing' : `${JSON.stringify(value)} is no text`}`,
    );
  };
  const expect = text('expect');
  if (expect !== 'allow' && expect !== 'deny') {
    throw new UsageError(`${path}.expect: ${JSON.stringify(expect)}: must be allow or deny`);
  }
  const [from, to, port] = [text('from'), text('to'), text('port')];
  const kind = parseFlowKind(port, `${path}.port`);
  const name = test.name === undefined ? `${from} to ${to}, ${port}` : text('name');
  return { name, expect, flow: { from, to, kind, family: familyOf(test.ipVersion, path) } };
}

function familyOf(version: JsonValue | undefined, path: string): AskedFlow['family'] {
  if (version === undefined) return undefined;
  if (version === 4 || version === '4') return 'ipv4';
  if (version === 6 || version === '6') return 'ipv6';
  throw new UsageError(`${path}.ipVersion: ${JSON.stringify(version)}: must be 4 or 6`);
}
