import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseAddress } from '@overland/net';
import type { GracefulRestart } from '../../src/core/wire/capabilities.ts';
import { Deframer } from '../../src/core/wire/deframer.ts';
import { encodeKeepalive, encodeMessage, MessageType } from '../../src/core/wire/header.ts';
import { decodeOpen, encodeOpen } from '../../src/core/wire/open.ts';

export const PEER_ASN = 65011;

/** A peer that does what a test tells it, octet by octet. */
export class ScriptedPeer implements Disposable {
  readonly #socket: Socket;
  readonly #deframer = new Deframer();
  /** `open`, `keepalive`, `update`, `notification 6/2`, … in order. */
  readonly received: string[] = [];
  /** When each of them came, `performance.now()`. */
  readonly receivedMs: number[] = [];
  isClosed = false;
  /** Graceful restart capability of the speaker's last OPEN. */
  theirRestart: GracefulRestart | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Uint8Array) => this.#take(chunk));
    socket.on('close', () => {
      this.isClosed = true;
    });
    socket.on('error', () => undefined);
  }

  /** Dials the speaker from `from`. */
  static async dial(port: number, from: string): Promise<ScriptedPeer> {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    await once(socket, 'connect');
    return new ScriptedPeer(socket);
  }

  send(octets: Uint8Array): void {
    this.#socket.write(octets);
  }

  open({ hold = 3, restart = false, asn = PEER_ASN } = {}): void {
    this.send(
      encodeOpen({
        asn,
        holdSeconds: hold,
        routerId: parseAddress('10.0.0.1'),
        capabilities: {
          families: ['ipv4'],
          extendedNextHop: [],
          fourOctetAs: asn,
          routeRefresh: true,
          extendedMessages: false,
          enhancedRouteRefresh: false,
          roles: [],
          addPath: [],
          longLivedRestart: undefined,
          gracefulRestart: restart
            ? {
                restarted: false,
                notification: false,
                restartSeconds: 60,
                families: [{ family: 'ipv4', forwarding: true }],
              }
            : undefined,
        },
      }),
    );
  }

  keepalive(): void {
    this.send(encodeKeepalive());
  }

  /** An UPDATE with this body. */
  update(body: Uint8Array): void {
    this.send(encodeMessage(MessageType.Update, body));
  }

  /** Stops reading, so that what is sent to it piles up. */
  stopReading(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(chunk: Uint8Array): void {
    this.#deframer.push(chunk);
    for (let frame = this.#deframer.next(); frame; frame = this.#deframer.next()) {
      if (frame.type === MessageType.Open) {
        this.theirRestart = decodeOpen(frame.body).capabilities.gracefulRestart;
      }
      this.received.push(words(frame.type, frame.body));
      this.receivedMs.push(performance.now());
    }
  }
}

function words(messageType: number, body: Uint8Array): string {
  const names = ['', 'open', 'update', 'notification', 'keepalive', 'route-refresh'];
  const name = names[messageType] ?? String(messageType);
  return messageType === MessageType.Notification ? `${name} ${body[0]}/${body[1]}` : name;
}
