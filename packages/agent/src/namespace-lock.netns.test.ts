import { expect, test } from 'vitest';
import { holdNamespace, NamespaceTakenError } from './namespace-lock.ts';

test('a second holder is refused and told who is first; the name is free again afterwards', async () => {
  {
    await using _held = await holdNamespace('node host11, pid 4711');
    const second = await holdNamespace('node host12').catch((error: unknown) => error);
    expect(second).toBeInstanceOf(NamespaceTakenError);
    expect((second as Error).message).toContain('node host11, pid 4711');
  }
  await using again = await holdNamespace('node host12');
  expect(again).toBeDefined();
});
