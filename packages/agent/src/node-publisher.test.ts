import type { SpeakerConfig } from '@overland/bgp';
import { DEFAULT_SECRETS_DIRECTORY } from '@overland/fabric';
import type { LocalState } from '@overland/felix';
import { affinityKey, resourceKey } from '@overland/model';
import { parsePrefix } from '@overland/net';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { NodePublisher } from './node-publisher.ts';
import { SETTINGS } from './settings.ts';

function stored(kind: string, name: string, spec: object): string {
  return JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec });
}

const BLOCK = affinityKey({ type: 'host', name: 'host11' }, parsePrefix('10.65.0.0/26'));

const ENTRIES = new Map([
  [
    resourceKey('Node', { name: 'host11' }),
    stored('Node', 'host11', { bgp: { asNumber: 65101, ipv4Address: '10.0.0.11/32' } }),
  ],
  [
    resourceKey('BGPPeer', { name: 'leaf' }),
    stored('BGPPeer', 'leaf', { node: 'host11', peerIP: '10.1.0.0', asNumber: 65011 }),
  ],
  [BLOCK, '{"state":"confirmed"}'],
]);

function publisher(configure: (config: SpeakerConfig) => Promise<void> = async () => {}) {
  const states: LocalState[] = [];
  const configs: SpeakerConfig[] = [];
  const ports = {
    setLocalState: async (state: LocalState) => void states.push(state),
    configure: async (config: SpeakerConfig) => {
      configs.push(config);
      await configure(config);
    },
    gone: () => new Set<string>(),
  };
  return {
    states,
    configs,
    publisher: new NodePublisher(
      { nodeName: 'host11', secretsDirectory: '/secrets' },
      ports,
      pino({ level: 'silent' }),
    ),
  };
}

test('a block is blackholed and originated when its claim is confirmed, and neither before', async () => {
  const { publisher: one, states, configs } = publisher();
  await one.publish(new Map(ENTRIES).set(BLOCK, '{"state":"pending"}'), true);
  expect(states.at(-1)?.blackholes).toEqual([]);
  expect(configs.at(-1)?.originate).not.toContain('10.65.0.0/26');
  await one.publish(ENTRIES, true);
  expect(states.at(-1)?.blackholes).toEqual(['10.65.0.0/26']);
  expect(configs.at(-1)?.originate).toContain('10.65.0.0/26');
});

test('what does not differ is not sent again', async () => {
  const { publisher: one, states, configs } = publisher();
  await one.publish(ENTRIES, true);
  await one.publish(new Map([...ENTRIES, ['/calico/other', '1']]), true);
  expect([states.length, configs.length]).toEqual([1, 1]);
});

test('going over from the snapshot to the datastore changes nothing for the speaker', async () => {
  const { publisher: one, states, configs } = publisher();
  await one.publish(ENTRIES, false);
  await one.publish(ENTRIES, true);
  expect(states.map(({ synced }) => synced)).toEqual([false, true]);
  expect(configs).toHaveLength(1);
});

test('without its own Node a host has no speaker, and says why', async () => {
  const { publisher: one, configs } = publisher();
  await one.publish(new Map(), true);
  expect(configs).toEqual([]);
  expect(one.problems).toContainEqual({ resource: 'Node host11', reason: 'does not exist' });
});

test('secrets are looked for where the command line says they are', () => {
  expect(SETTINGS.secretsDirectory.schema.parse(undefined)).toBe(DEFAULT_SECRETS_DIRECTORY);
});

test('a speaker that refuses its configuration does not keep the kernel from its state', async () => {
  const { publisher: one, states } = publisher(() =>
    Promise.reject(new Error('port 179 is taken')),
  );
  await one.publish(ENTRIES, true);
  expect(states).toHaveLength(1);
  one.stop();
});
