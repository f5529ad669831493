import { expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfAll } from './exit-codes.ts';

/** As it arrives from another thread: its class is not ours. */
function named(name: string, cause?: unknown): Error {
  return Object.assign(new Error('x', { cause }), { name });
}

test('each kind of failure has a code of its own', () => {
  expect(exitCodeOf(named('UsageError'))).toBe(2);
  expect(exitCodeOf(named('ValidationError'))).toBe(2);
  expect(exitCodeOf(named('ResourceNotFoundError'))).toBe(3);
  expect(exitCodeOf(named('ResourceConflictError'))).toBe(4);
  expect(exitCodeOf(named('ResourceExistsError'))).toBe(4);
  expect(exitCodeOf(named('UnavailableError'))).toBe(5);
  expect(exitCodeOf(named('AccessDeniedError'))).toBe(6);
  expect(exitCodeOf(named('ReadOnlyKindError'))).toBe(7);
  expect(exitCodeOf(named('TypeError'))).toBe(1);
  expect(exitCodeOf('text')).toBe(1);
});

test('a cause has the code that its wrapping lacks', () => {
  expect(exitCodeOf(named('Error', named('UnavailableError')))).toBe(5);
});

test('several failures have the code that they share, or 1', () => {
  expect(exitCodeOfAll([])).toBe(0);
  expect(exitCodeOfAll([named('ResourceExistsError'), named('ResourceConflictError')])).toBe(4);
  expect(exitCodeOfAll([named('ResourceExistsError'), named('UnavailableError')])).toBe(1);
});
