import { expect, test } from 'vitest';
import { MachineScript } from '../../../test/machine-script.ts';
import { NO_CAPABILITIES } from '../wire/capabilities.ts';
import type { PeerEffect } from './peer-events.ts';

/** Octets of the largest message of the session. */
function largest(ours: boolean | undefined, theirs: boolean): number {
  const script = new MachineScript(ours === undefined ? {} : { extendedMessages: ours });
  script.do({ type: 'start' });
  expect(script.sentOpen(1).capabilities.extendedMessages).toBe(ours ?? false);
  const capabilities = { ...NO_CAPABILITIES, fourOctetAs: 65011, extendedMessages: theirs };
  script.open(1, { capabilities });
  const effects = script.machine.handle(
    { type: 'message', connection: 1, messageType: 4, body: new Uint8Array() },
    0,
  );
  const up = effects.find((effect): effect is Extract<PeerEffect, { type: 'up' }> => {
    return effect.type === 'up';
  });
  return up?.session.maxMessageOctets ?? 0;
}

test('messages are longer when both sides have said so (RFC 8654 section 4)', () => {
  expect(largest(true, true)).toBe(65_535);
  expect(largest(true, false)).toBe(4096);
  expect(largest(false, true)).toBe(4096);
  expect(largest(undefined, true)).toBe(4096);
});
