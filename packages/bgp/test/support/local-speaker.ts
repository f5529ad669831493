import { type Asn, parseAddress } from '@overland/net';
import { pino } from 'pino';
import type { PeerConfig, SpeakerConfig } from '../../src/core/config.ts';
import { type Speaker, startSpeaker } from '../../src/node/speaker.ts';
import type { SpeakerOptions } from '../../src/node/speaker-options.ts';
import { PEER_ASN, ScriptedPeer } from './scripted-peer.ts';

/** A peer that waits to be dialled, at a loopback address. */
export function localPeer(address: string, change: Partial<PeerConfig> = {}): PeerConfig {
  return {
    name: address,
    address: parseAddress(address),
    port: 179,
    asn: PEER_ASN as Asn,
    families: ['ipv4'],
    holdSeconds: 30,
    keepaliveSeconds: 1,
    connectRetrySeconds: 5,
    passive: true,
    allowAsIn: 0,
    asOverride: false,
    nextHop: 'auto',
    ttl: 1,
    ...change,
  };
}

/** A speaker on a loopback port. */
export interface LocalSpeaker extends AsyncDisposable {
  readonly speaker: Speaker;
  /** Takes over another configuration. */
  reconfigure(change: Partial<SpeakerConfig>): Promise<void>;
  /** A connection from an address, on which nothing has been said yet. */
  dial(from: string): Promise<ScriptedPeer>;
  /** A session of a peer at this address, Established. */
  establish(from: string, open?: Parameters<ScriptedPeer['open']>[0]): Promise<ScriptedPeer>;
  stateOf(peer: string): string | undefined;
}

export async function localSpeaker(
  port: number,
  change: Partial<SpeakerConfig>,
  options: Partial<SpeakerOptions> = {},
): Promise<LocalSpeaker> {
  const base: SpeakerConfig = {
    asn: 65101 as Asn,
    routerId: parseAddress('10.0.0.5'),
    role: 'router',
    listen: [{ address: parseAddress('127.0.0.1'), port }],
    multipath: { maxPaths: 8, relaxAsPath: true },
    gracefulRestart: {
      enabled: true,
      restartSeconds: 120,
      stalePathSeconds: 300,
      deferralSeconds: 30,
    },
    peers: [],
    originate: [],
  };
  const speaker = await startSpeaker(
    {
      config: { ...base, ...change },
      log: pino({ level: process.env.LOG ?? 'silent' }),
      restarting: false,
      onRouteBatch: async () => [],
      ...options,
    },
    new AbortController().signal,
  );
  const dial = (from: string): Promise<ScriptedPeer> => ScriptedPeer.dial(port, from);
  const stateOf = (peer: string): string | undefined =>
    speaker.summary().peers.find(({ name }) => name === peer)?.state;
  return {
    speaker,
    dial,
    stateOf,
    reconfigure: (next) => speaker.reconfigure({ ...base, ...next }),
    async establish(from, open = {}) {
      const peer = await dial(from);
      peer.open({ hold: 30, ...open });
      peer.keepalive();
      await until(`${from} is Established`, () => stateOf(from) === 'Established');
      return peer;
    },
    [Symbol.asyncDispose]: () => speaker.stop('restart'),
  };
}

export async function until(what: string, holds: () => boolean, seconds = 10): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
