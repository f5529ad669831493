import { parentPort, workerData } from 'node:worker_threads';
import { ScriptedPeer } from './scripted-peer.ts';

/** A worker with a peer that sends its keepalives whatever happens, on a thread of its own. */
const { port, from } = workerData as { readonly port: number; readonly from: string };

const peer = await ScriptedPeer.dial(port, from);
peer.open();
const timer = setInterval(() => {
  peer.keepalive();
  if (peer.isClosed) {
    clearInterval(timer);
    parentPort?.postMessage(peer.received);
  }
}, 200);
