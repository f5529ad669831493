import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { nowMs } from './clock.ts';
import { sequenceOf } from './marked.ts';
import { PeerSession } from './peer-session.ts';
import type { PeerSpec, PeersData, Request, Told } from './peers.ts';
import type { Messages } from './tables.ts';
import { Tally } from './tally.ts';

/** A thread with peers of the router: those that feed it, or those that receive. */

const data = workerData as PeersData;
const tell = (told: Told): void => parentPort?.postMessage(told);

class Peer {
  readonly spec: PeerSpec;
  readonly session: PeerSession;
  readonly tally = new Tally(data.family);

  constructor(spec: PeerSpec) {
    this.spec = spec;
    const { namespace, family, speaker, holdSeconds } = data;
    this.session = new PeerSession({
      ...{ namespace, family, speaker, holdSeconds, ...spec },
      ...(spec.tallies && { update: (octets, at, end) => this.#update(octets, at, end) }),
      lost: (reason) => {
        // Some routers reset a session or two of many that come up at once.
        if (!isReady) return true;
        tell({ type: 'lost', peer: spec.address, reason });
        return false;
      },
    });
  }

  #update(octets: Uint8Array, at: number, end: number): void {
    const before = this.tally.present;
    lastUpdateMs = nowMs();
    const sequence = sequenceOf(octets, at, end);
    if (sequence !== undefined) {
      arrived[sequence] = lastUpdateMs;
      return;
    }
    this.tally.take(octets, at, end);
    if (before !== this.tally.present) check();
  }
}

/** All sessions have come up, and stayed so for a moment. */
const STEADY_MS = 300;
let isReady = false;
let lastUpdateMs = 0;
let awaited: number | undefined;
/** When marked UPDATEs arrived, and when those of the last table with a pace were sent: by number. */
const arrived: number[] = [];
const sentTimes: number[] = [];

/** Tells when every peer has as many prefixes as are waited for. */
function check(): void {
  if (awaited === undefined || peers.some(({ tally }) => tally.present !== awaited)) return;
  awaited = undefined;
  tell({ type: 'answer', atMs: nowMs() });
}

/** Octets of its own: a socket does not write shared memory. */
const copied = new Map<Messages, Uint8Array>();
function octetsOf(messages: Messages): Uint8Array {
  const found = copied.get(messages) ?? messages.octets.slice();
  copied.set(messages, found);
  return found;
}

/** Sends messages at an even rate, until there are no more. */
function paced(peer: Peer, messages: Messages, perSecond: number): void {
  const octets = octetsOf(messages);
  const startMs = nowMs();
  const total = messages.offsets.length - 1;
  let sent = 0;
  sentTimes.length = total;
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((nowMs() - startMs) * perSecond) / 1000));
    if (due > sent) {
      sentTimes.fill(nowMs(), sent, due);
      peer.session.write(octets.subarray(messages.offsets[sent], messages.offsets[due]));
      sent = due;
    }
    if (sent === total) clearInterval(timer);
  }, 1);
}

const peers = data.peers.map((spec) => new Peer(spec));
for (const { spec } of peers) for (const table of Object.values(spec.tables)) octetsOf(table);
for (let steadyMs = 0; steadyMs < STEADY_MS; await delay(50)) {
  steadyMs = peers.every(({ session }) => session.isUp) ? steadyMs + 50 : 0;
}
isReady = true;
parentPort?.on('message', (request: Request) => {
  const atMs = nowMs();
  switch (request.type) {
    case 'send':
      for (const { session, spec } of peers) {
        const table = spec.tables[request.table];
        if (table) session.write(octetsOf(table));
      }
      break;
    case 'pace':
      for (const peer of peers) {
        const table = peer.spec.tables[request.table];
        if (table) paced(peer, table, request.perSecond);
      }
      break;
    case 'close':
      for (const { session } of peers) session.close();
      break;
    case 'await':
      awaited = request.present;
      check();
      return;
    case 'sent':
      tell({ type: 'answer', atMs, times: sentTimes });
      return;
    case 'arrived':
      tell({ type: 'answer', atMs, times: Array.from(arrived, (time) => time ?? 0) });
      return;
    case 'last update':
      tell({ type: 'answer', atMs: lastUpdateMs });
      return;
  }
  tell({ type: 'answer', atMs });
});
tell({ type: 'answer', atMs: nowMs() });
