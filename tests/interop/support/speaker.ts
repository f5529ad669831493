import type { PeerConfig, RouteEngine, SpeakerConfig } from '@overland/bgp';
import {
  type PeerSummary,
  type Speaker,
  type SpeakerOptions,
  startSpeaker,
} from '@overland/bgp/node';
import { openTcpSocket, runInNamespace } from '@overland/linux';
import type { TestNamespace } from '@overland/linux/testing';
import { type Asn, parseAddress } from '@overland/net';
import { pino } from 'pino';
import { noRoutes } from './no-routes.ts';
import { until } from './until.ts';

export function peer(name: string, address: string, change: Partial<PeerConfig> = {}): PeerConfig {
  return {
    name,
    address: parseAddress(address),
    port: 179,
    asn: 65011 as Asn,
    families: [address.includes(':') ? 'ipv6' : 'ipv4'],
    holdSeconds: 3,
    keepaliveSeconds: 1,
    connectRetrySeconds: 2,
    passive: false,
    allowAsIn: 0,
    asOverride: false,
    nextHop: 'auto',
    ttl: 1,
    ...change,
  };
}

export function speakerConfig(
  peers: readonly PeerConfig[],
  change: Partial<SpeakerConfig> = {},
): SpeakerConfig {
  return {
    asn: 65101 as Asn,
    routerId: parseAddress('10.0.0.5'),
    role: 'host',
    listen: ['0.0.0.0', '::'].map((text) => ({ address: parseAddress(text), port: 179 })),
    multipath: { maxPaths: 8, relaxAsPath: true },
    gracefulRestart: {
      enabled: true,
      restartSeconds: 120,
      stalePathSeconds: 300,
      deferralSeconds: 30,
    },
    peers,
    originate: [],
    ...change,
  };
}

/** Our speaker, in a namespace of the test. */
export async function speakerIn(
  namespace: TestNamespace,
  config: SpeakerConfig,
  change: Partial<SpeakerOptions> & { readonly engine?: RouteEngine } = {},
): Promise<Speaker> {
  return startSpeaker(
    {
      config,
      engine: noRoutes(),
      log: pino({ level: process.env.LOG ?? 'silent' }),
      restarting: false,
      onRouteBatch: async () => [],
      openSocket: (options) => runInNamespace(namespace.path, () => openTcpSocket(options)),
      ...change,
    },
    new AbortController().signal,
  );
}

export function peerOf(speaker: Speaker, name: string): PeerSummary {
  const found = speaker.summary().peers.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`no peer ${name}`);
  return found;
}

export async function established(speaker: Speaker, ...names: string[]): Promise<void> {
  await until(
    () => `${names} is Established: ${JSON.stringify(speaker.summary().peers)}`,
    () => names.every((name) => peerOf(speaker, name).state === 'Established'),
  );
}
