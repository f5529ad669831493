import { parsePrefix } from '@overland/net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { SpeakerService } from './speaker-service.ts';

test('before its first configuration a speaker has offered nothing and is not ready', async () => {
  const dataplane = {
    preserved: async () => [],
    applyRoutes: async () => 1,
    probe: async () => undefined,
  };
  const service = new SpeakerService(dataplane, pino({ level: 'silent' }), {
    socket: '/nowhere/bfd.sock',
    command: [],
  });
  expect(await service.offered([parsePrefix('10.65.0.0/26')], 0)).toBe(false);
  expect(service.summary()).toBeNull();
  expect(service.operator).toBeUndefined();
  expect(service.health()).toMatchObject({ ready: false });
  await service.stop();
});
