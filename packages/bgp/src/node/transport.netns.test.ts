import { readdirSync, readlinkSync } from 'node:fs';
import { openTcpSocket, runInNamespace } from '@overland/linux';
import { cable, netns, type TestNamespace, userTimeoutOf } from '@overland/linux/testing';
import { type Asn, parseAddress } from '@overland/net';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { localPeer, until } from '../../test/support/local-speaker.ts';
import type { PeerConfig, SpeakerConfig } from '../core/config.ts';
import { type Speaker, startSpeaker } from './speaker.ts';

const ENDS = {
  ipv4: ['10.1.0.0', '10.1.0.1'],
  ipv6: ['fd00:1::', 'fd00:1::1'],
} as const;

interface Ends extends AsyncDisposable {
  readonly left: TestNamespace;
  readonly right: TestNamespace;
}

/** Two namespaces with two links, of which the first has the addresses that the peers know. */
async function ends(): Promise<Ends> {
  const [left, right] = [await netns(), await netns()];
  for (const [n, lengths] of [
    [1, ['10.1.0.0/31', 'fd00:1::/127']],
    [2, ['10.2.0.0/31', 'fd00:2::/127']],
  ] as const) {
    const other = lengths.map((text) => text.replace(/0\/31/, '1/31').replace('::/', '::1/'));
    await cable(
      { namespace: left, device: `eth${n}`, addresses: lengths },
      { namespace: right, device: `eth${n}`, addresses: other },
    );
  }
  return {
    left,
    right,
    async [Symbol.asyncDispose]() {
      await left[Symbol.asyncDispose]();
      await right[Symbol.asyncDispose]();
    },
  };
}

function configOf(
  asn: number,
  peers: readonly PeerConfig[],
  change: Partial<SpeakerConfig> = {},
): SpeakerConfig {
  return {
    asn: asn as Asn,
    routerId: parseAddress(`10.0.0.${asn % 256}`),
    role: 'router',
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

function speakerIn(
  namespace: TestNamespace,
  ...config: Parameters<typeof configOf>
): Promise<Speaker> {
  return startSpeaker(
    {
      config: configOf(...config),
      log: pino({ level: process.env.LOG ?? 'silent' }),
      restarting: false,
      onRouteBatch: async () => [],
      openSocket: (options) => runInNamespace(namespace.path, () => openTcpSocket(options)),
    },
    new AbortController().signal,
  );
}

const peerAt = (address: string, asn: number, change: Partial<PeerConfig> = {}): PeerConfig =>
  localPeer(address, {
    asn: asn as Asn,
    families: [address.includes(':') ? 'ipv6' : 'ipv4'],
    connectRetrySeconds: 1,
    ...change,
  });

const isUp = (speaker: Speaker): boolean =>
  speaker.summary().peers.every(({ state }) => state === 'Established');

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const [ours, theirs] = ENDS[family];

  test('segments of either side are class selector 6 (RFC 2474), and silence is limited', async () => {
    await using net = await ends();
    const before = timeouts();
    await using right = await speakerIn(net.right, 65002, [peerAt(ours, 65001)]);
    const dialled = peerAt(theirs, 65002, { passive: false, holdSeconds: 90 });
    await using left = await speakerIn(net.left, 65001, [dialled]);
    await until('the session is up', () => isUp(left) && isUp(right));
    for (const namespace of [net.left, net.right]) {
      const sockets = await namespace.exec(['ss', '-Htn', '--tos', 'state', 'established']);
      expect(sockets).toMatch(/(tos|tclass):0xc0/);
      expect(sockets).not.toMatch(/(tos|tclass):0x(?!c0)/);
    }
    // Of 30 and 90 seconds the lower one is the hold time, and twice that the limit, on both ends.
    expect(timeouts().filter((ms) => !before.includes(ms))).toEqual([60_000, 60_000]);
  });

  test('what we dial leaves by the interface that it is bound to', async () => {
    await using net = await ends();
    // The routes lead elsewhere.
    const via = family === 'ipv4' ? '10.2.0.1' : 'fd00:2::1';
    const length = family === 'ipv4' ? 32 : 128;
    await net.left.ip('route', 'add', `${theirs}/${length}`, 'via', via, 'dev', 'eth2');
    await using right = await speakerIn(net.right, 65002, [peerAt(ours, 65001)]);
    const strangers = () => right.summary().connectionsRefused;
    const bound = (bindInterface: string) => {
      return [peerAt(theirs, 65002, { passive: false, bindInterface })];
    };
    await using left = await speakerIn(net.left, 65001, bound('eth2'));
    await until('it comes from another address', () => strangers() > 0);
    await left.reconfigure(configOf(65001, bound('eth1')));
    await until('the session is up', () => isUp(left) && isUp(right));
    await left.reconfigure(configOf(65001, bound('eth9')));
    expect(left.summary().peers[0]?.lastError).toBe('ENODEV for source any on eth9');
  });

  test('what we are dialled on stays on the interface that it is bound to', async () => {
    await using net = await ends();
    const bound = (bindInterface: string) => [peerAt(ours, 65001, { bindInterface })];
    await using right = await speakerIn(net.right, 65002, bound('eth2'));
    await using left = await speakerIn(net.left, 65001, [
      peerAt(theirs, 65002, { passive: false }),
    ]);
    const attempts = () => right.summary().peers[0]?.sent.open ?? 0;
    await until('it has been tried, and tried again', () => attempts() > 1, 20);
    for (const speaker of [left, right]) {
      expect(speaker.summary().peers[0]).toMatchObject({ timesEstablished: 0 });
    }
    await right.reconfigure(configOf(65002, bound('eth1')));
    await until('the session is up', () => isUp(left) && isUp(right), 20);
  });
});

test('a listener that is bound to an interface takes nothing from another one', async () => {
  await using net = await ends();
  const listenOn = (device: string) => ({
    listen: [{ address: parseAddress('0.0.0.0'), port: 179, interface: device }],
  });
  const waiting = [peerAt('10.1.0.0', 65001)];
  await using right = await speakerIn(net.right, 65002, waiting, listenOn('eth2'));
  const peers = [peerAt('10.1.0.1', 65002, { passive: false })];
  await using left = await speakerIn(net.left, 65001, peers);
  await until('it is refused', () => left.summary().peers[0]?.lastError === 'ECONNREFUSED');
  await right.reconfigure(configOf(65002, waiting, listenOn('eth1')));
  await until('the session is up', () => isUp(left) && isUp(right));
});

/** TCP user timeouts of this process's sockets that have one, milliseconds. */
function timeouts(): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const isSocket = readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
      return isSocket ? userTimeoutOf(Number(fd)) || [] : [];
    } catch {
      return [];
    }
  });
}
