import { Worker } from 'node:worker_threads';
import { type Asn, parseAddress, parsePrefix } from '@overland/net';
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Chatterbox } from '../../test/support/chatterbox.ts';
import { PEER_ASN, ScriptedPeer } from '../../test/support/scripted-peer.ts';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import { type Speaker, startSpeaker } from './speaker.ts';
import type { SpeakerOptions } from './speaker-options.ts';

// Each test has ports and loopback addresses of its own.
const PEER = '127.0.0.2';
let port = 20_000;

const peerConfig: PeerConfig = {
  name: 'peer',
  address: parseAddress(PEER),
  port: 179,
  asn: PEER_ASN as Asn,
  families: ['ipv4'],
  holdSeconds: 3,
  keepaliveSeconds: 1,
  connectRetrySeconds: 5,
  passive: true,
  allowAsIn: 0,
  asOverride: false,
  nextHop: 'auto',
  ttl: 1,
};

/** A scripted peer sends no keepalives by itself. */
const patient: PeerConfig = { ...peerConfig, holdSeconds: 30 };

function config(peers: readonly PeerConfig[], change: Partial<SpeakerConfig> = {}): SpeakerConfig {
  return {
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
    peers,
    originate: [],
    ...change,
  };
}

/** A speaker that waits for one peer, on a port of its own. */
async function speak(
  peers: readonly PeerConfig[] = [peerConfig],
  change: Partial<SpeakerConfig> = {},
  options: Partial<SpeakerOptions> = {},
): Promise<Speaker> {
  port += 1;
  return await startSpeaker(
    {
      config: config(peers, change),
      log: pino({ level: 'silent' }),
      restarting: false,
      onRouteBatch: async () => [],
      ...options,
    },
    new AbortController().signal,
  );
}

async function until(what: string, holds: () => boolean, seconds = 10): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const stateOf = (speaker: Speaker): string | undefined => speaker.summary().peers[0]?.state;

async function establish(speaker: Speaker, options = {}): Promise<ScriptedPeer> {
  const peer = await ScriptedPeer.dial(port, PEER);
  peer.open(options);
  peer.keepalive();
  await until('the session is up', () => stateOf(speaker) === 'Established');
  return peer;
}

describe('what a peer may not do', () => {
  test.each<[string, (peer: ScriptedPeer) => void, string]>([
    ['no marker', (peer) => peer.send(new Uint8Array(19)), 'notification 1/1'],
    ['UPDATE before OPEN', (peer) => peer.update(new Uint8Array(4)), 'notification 5/1'],
    [
      'UPDATE before KEEPALIVE',
      (peer) => {
        peer.open();
        peer.update(new Uint8Array(4));
      },
      'notification 5/2',
    ],
    [
      'a second OPEN',
      (peer) => {
        peer.open();
        peer.keepalive();
        peer.open();
      },
      'notification 5/3',
    ],
    ['hold time 2', (peer) => peer.open({ hold: 2 }), 'notification 2/6'],
  ])('%s', async (_, act, answer) => {
    await using speaker = await speak();
    using peer = await ScriptedPeer.dial(port, PEER);
    act(peer);
    await until('it is closed', () => peer.isClosed);
    expect(peer.received.at(-1)).toBe(answer);
    expect(stateOf(speaker)).not.toBe('Established');
  });

  test('a connection from an address that is no peer is closed without a word', async () => {
    await using speaker = await speak();
    using stranger = await ScriptedPeer.dial(port, '127.0.0.3');
    await until('it is closed', () => stranger.isClosed);
    expect(stranger.received).toEqual([]);
    expect(speaker.summary().connectionsRefused).toBe(1);
  });

  test('whatever octets come, the speaker lives and takes the next connection', async () => {
    const addresses = Array.from({ length: 60 }, (_, i) => `127.0.1.${i + 1}`);
    const peers = addresses.map((text) => ({
      ...peerConfig,
      name: text,
      address: parseAddress(text),
    }));
    await using speaker = await speak([peerConfig, ...peers]);
    const header = fc.constant(Uint8Array.of(...new Array<number>(16).fill(0xff)));
    const octets = fc.oneof(header, fc.uint8Array({ maxLength: 64 }));
    await fc.assert(
      fc.asyncProperty(fc.array(octets, { minLength: 1, maxLength: 6 }), async (chunks) => {
        // A fresh one each time: who errs is kept waiting in Idle.
        const address = addresses.pop();
        if (address === undefined) return;
        using peer = await ScriptedPeer.dial(port, address);
        await until('it is greeted', () => peer.received.includes('open'));
        for (const chunk of chunks) peer.send(chunk);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }),
      { numRuns: 60, endOnFailure: true },
    );
    using peer = await establish(speaker);
    await until('it is confirmed', () => peer.received.includes('keepalive'));
    expect(peer.received.slice(0, 2)).toEqual(['open', 'keepalive']);
  });
});

describe('the hold time', () => {
  test('a peer that falls silent is dropped after it, and told', async () => {
    await using speaker = await speak();
    using peer = await establish(speaker);
    const startMs = performance.now();
    await until('it is closed', () => peer.isClosed);
    expect(performance.now() - startMs).toBeGreaterThan(2800);
    expect(performance.now() - startMs).toBeLessThan(4000);
    expect(peer.received.at(-1)).toBe('notification 4/0');
    // One a second: none is lost, none is sent in a burst.
    expect(peer.received.filter((message) => message === 'keepalive')).toHaveLength(4);
    expect(speaker.summary().peers[0]?.lastError).toBe(
      'sent Hold Timer Expired: hold timer expired',
    );
  });

  test('a peer whose keepalives wait in our queue, because we were busy, is not', async () => {
    await using speaker = await speak();
    const worker = new Worker(new URL('../../test/support/stubborn-peer.ts', import.meta.url), {
      workerData: { port, from: PEER },
      execArgv: ['--conditions=@overland/source'],
    });
    await until('the session is up', () => stateOf(speaker) === 'Established');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4500);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(stateOf(speaker)).toBe('Established');
    expect(speaker.summary().peers[0]?.timesDropped).toBe(0);
    await worker.terminate();
  });
});

describe('a second connection of the peer', () => {
  test('is refused while the session lives', async () => {
    await using speaker = await speak();
    using first = await establish(speaker);
    using second = await ScriptedPeer.dial(port, PEER);
    await until('it is closed', () => second.isClosed);
    expect(second.received).toEqual([]);
    expect(first.isClosed).toBe(false);
  });

  test('replaces the session under graceful restart, silently', async () => {
    await using speaker = await speak();
    using first = await establish(speaker, { restart: true });
    using second = await ScriptedPeer.dial(port, PEER);
    second.open({ restart: true });
    second.keepalive();
    await until('the first is closed', () => first.isClosed);
    expect(first.received.filter((message) => message.startsWith('notification'))).toEqual([]);
    await until('the session is up again', () => stateOf(speaker) === 'Established');
    expect(speaker.summary().peers[0]).toMatchObject({ timesEstablished: 2, timesDropped: 1 });
  });
});

describe('reconfiguration', () => {
  test('touches only the sessions whose identity changed', async () => {
    const other: PeerConfig = { ...peerConfig, name: 'other', address: parseAddress('127.0.0.4') };
    await using speaker = await speak([peerConfig, other]);
    using first = await establish(speaker);
    using second = await ScriptedPeer.dial(port, '127.0.0.4');
    second.open();
    second.keepalive();
    await until('both are up', () =>
      speaker.summary().peers.every(({ state }) => state === 'Established'),
    );
    const alive = setInterval(() => first.keepalive(), 500);

    const renamed = { ...peerConfig, name: 'renamed', description: 'rack 1', allowAsIn: 1 };
    const changed = { ...other, localAsn: 65500 as Asn };
    const originate = [parsePrefix('10.65.0.0/26')];
    await speaker.reconfigure(config([renamed, changed], { originate }));
    await until('the second is closed', () => second.isClosed);
    expect(second.received.at(-1)).toBe('notification 6/6');
    expect(first.isClosed).toBe(false);

    await speaker.reconfigure(config([changed], { originate }));
    await until('the first is closed', () => first.isClosed);
    expect(first.received.at(-1)).toBe('notification 6/3');
    clearInterval(alive);
  });

  test('listens where it is told to, and says so when it cannot', async () => {
    await using speaker = await speak();
    const [old, next] = [port, port + 500];
    const listen = [{ address: parseAddress('127.0.0.1'), port: next }];
    await speaker.reconfigure(config([peerConfig], { listen }));
    await expect(ScriptedPeer.dial(old, PEER)).rejects.toThrow('ECONNREFUSED');
    using peer = await ScriptedPeer.dial(next, PEER);
    peer.open();
    await until('it is greeted', () => peer.received.includes('open'));
    const foreign = [{ address: parseAddress('192.0.2.1'), port: next }];
    await expect(speaker.reconfigure(config([peerConfig], { listen: foreign }))).rejects.toThrow(
      `cannot listen on 192.0.2.1 port ${next}: EADDRNOTAVAIL`,
    );
  });
});

describe('after a restart', () => {
  const END_OF_RIB = new Uint8Array(4);
  const absent: PeerConfig = { ...peerConfig, name: 'absent', address: parseAddress('127.0.0.4') };
  const restarted = { restarting: true, preserved: ['ipv4'] } as const;

  test('routes are selected when the peers have sent End-of-RIB; the R bit is gone then', async () => {
    await using speaker = await speak([peerConfig], {}, restarted);
    using peer = await establish(speaker, { restart: true });
    expect(peer.theirRestart).toMatchObject({
      restarted: true,
      notification: false,
      families: [{ family: 'ipv4', forwarding: true }],
    });
    expect(speaker.summary().deferring).toBe(true);
    expect(peer.received).not.toContain('update');
    peer.update(END_OF_RIB);
    await until('routes are selected', () => !speaker.summary().deferring);
    await until('it gets our End-of-RIB', () => peer.received.includes('update'));
    peer.close();
    await until('it is lost', () => stateOf(speaker) === 'Idle');
    await until('it may come again', () => stateOf(speaker) === 'Active');
    using again = await establish(speaker, { restart: true });
    expect(again.theirRestart?.restarted).toBe(false);
  });

  test('a peer that is not there holds nothing up for longer than the window', async () => {
    await using speaker = await speak([patient, absent], {}, restarted);
    using peer = await establish(speaker, { restart: true, hold: 30 });
    peer.update(END_OF_RIB);
    await until('it is taken', () => speaker.summary().peers[0]?.received.update === 1);
    expect(speaker.summary().deferring).toBe(true);
    await until('routes are selected', () => !speaker.summary().deferring, 7);
  });

  test('with no peer at all the hard limit decides', async () => {
    const gracefulRestart = {
      enabled: true,
      restartSeconds: 120,
      stalePathSeconds: 300,
      deferralSeconds: 7,
    };
    await using speaker = await speak([absent], { gracefulRestart }, restarted);
    const startMs = performance.now();
    await until('routes are selected', () => !speaker.summary().deferring);
    expect(performance.now() - startMs).toBeGreaterThan(6800);
  });
});

describe('a peer that takes nothing', () => {
  test('costs a bounded queue, and the others nothing', async () => {
    const other: PeerConfig = { ...patient, name: 'other', address: parseAddress('127.0.0.4') };
    const engine = new Chatterbox();
    await using speaker = await speak([patient, other], {}, { engine });
    using slow = await establish(speaker, { hold: 30 });
    slow.stopReading();
    using quick = await ScriptedPeer.dial(port, '127.0.0.4');
    quick.open({ hold: 30 });
    quick.keepalive();
    await until('the quick one has had plenty', () => engine.packed(1) > 20_000);
    const stuck = engine.packed(0);
    const [queued = 0] = speaker.summary().peers.map(({ outQueueOctets }) => outQueueOctets);
    expect(queued).toBeGreaterThan(0);
    expect(queued).toBeLessThan(192 * 1024);
    await until('the quick one has had more', () => engine.packed(1) > 30_000);
    expect(engine.packed(0)).toBe(stuck);
    expect(speaker.summary().peers.map(({ state }) => state)).toEqual([
      'Established',
      'Established',
    ]);
  });
});

describe('parting', () => {
  test('for a restart: without a word', async () => {
    await using speaker = await speak();
    using peer = await establish(speaker);
    await speaker.stop('restart');
    await until('it is closed', () => peer.isClosed);
    expect(peer.received.some((message) => message.startsWith('notification'))).toBe(false);
  });

  test('for good: Cease, administrative shutdown', async () => {
    await using speaker = await speak();
    using peer = await establish(speaker);
    await speaker.stop('shutdown');
    await until('it is closed', () => peer.isClosed);
    expect(peer.received.at(-1)).toBe('notification 6/2');
  });
});

test('a link that goes down ends the session at once, and one that comes up lets it begin', async () => {
  await using speaker = await speak();
  const link = (usable: boolean) => [
    { name: 'lo', usable, addresses: [{ address: parseAddress('127.0.0.1'), length: 8 }] },
  ];
  speaker.setInterfaces(link(true));
  using peer = await establish(speaker);
  speaker.setInterfaces(link(false));
  expect(stateOf(speaker)).toBe('Idle');
  await until('it is closed', () => peer.isClosed);
  speaker.setInterfaces(link(true));
  expect(stateOf(speaker)).toBe('Active');
});
