import { expect, test } from 'vitest';
import { UnitTuner } from './unit-tuner.ts';

/** Calls until the tuner has settled; returns what the last call took. */
function settle(tuner: UnitTuner, millisecondsPerUnit: number): number {
  let elapsed = 0;
  for (let i = 0; i < 30; i += 1) {
    elapsed = tuner.units * millisecondsPerUnit;
    tuner.measured(elapsed);
  }
  return elapsed;
}

test('settles below a millisecond whether units are cheap or dear', () => {
  expect(settle(new UnitTuner(), 0.0005)).toBeCloseTo(0.8, 1);
  expect(settle(new UnitTuner(), 0.02)).toBeCloseTo(0.8, 1);
});

test('recovers when units become dear', () => {
  const tuner = new UnitTuner();
  settle(tuner, 0.0005);
  expect(settle(tuner, 0.01)).toBeCloseTo(0.8, 1);
});

test('a call that had little to do does not make the next one huge', () => {
  const tuner = new UnitTuner();
  const before = tuner.units;
  tuner.measured(0);
  expect(tuner.units).toBe(before * 2);
});
