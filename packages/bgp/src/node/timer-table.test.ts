import { expect, test } from 'vitest';
import { TimerTable } from './timer-table.ts';

test('a timer restarted while it fires fires again, as a keepalive timer must', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let fired = 0;
  const timers = new TimerTable<'keepalive'>(
    () => true,
    (key) => {
      fired += 1;
      if (fired === 3) resolve();
      else timers.restart(key);
    },
  );
  timers.arm('keepalive', 0.001);
  await promise;
  expect(fired).toBe(3);
});

test('restarting a timer that is not armed does nothing', () => {
  const timers = new TimerTable<'hold'>(
    () => true,
    () => expect.unreachable(),
  );
  timers.restart('hold');
  timers.arm('hold', 60);
  timers.disarm('hold');
  timers.restart('hold');
});
