import { expect, test } from 'vitest';
import { AddsInFlight } from './adds-in-flight.ts';

test('a DEL calls off the ADDs of its attachment, waits for their end, and is done again', async () => {
  const adds = new AddsInFlight();
  const events: string[] = [];
  const { promise: slow, resolve: finish } = Promise.withResolvers<void>();
  const added = adds.run('c/eth0', async (flight) => {
    await slow;
    events.push(`add ends, called off: ${flight.isCalledOff}`);
  });
  const other = adds.run('c/eth1', async (flight) => {
    await slow;
    return flight.isCalledOff;
  });
  const deleted = adds.overtake('c/eth0', async () => void events.push('del'));
  await Promise.resolve();
  finish();
  await Promise.all([added, deleted]);
  expect(events).toEqual(['del', 'add ends, called off: true', 'del']);
  expect(await other).toBe(false);

  await adds.overtake('c/eth0', async () => void events.push('alone'));
  expect(events.filter((event) => event === 'alone')).toHaveLength(1);
});

test('an ADD that fails does not fail the DEL', async () => {
  const adds = new AddsInFlight();
  const { promise, reject } = Promise.withResolvers<never>();
  const added = adds.run('c/eth0', () => promise);
  const deleted = adds.overtake('c/eth0', async () => 'done');
  reject(new Error('no address'));
  await expect(added).rejects.toThrow('no address');
  expect(await deleted).toBe('done');
});
