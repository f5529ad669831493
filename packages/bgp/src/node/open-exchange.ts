import type { ConnectionId } from '../core/session/peer-events.ts';
import { encodeMessage, MessageType } from '../core/wire/header.ts';

/** The OPENs of a session, as they went over the wire. */
export interface OpenPair {
  readonly sent: Uint8Array;
  readonly received: Uint8Array;
}

/** Remembers the OPENs of connections until one of them is the session: BMP shows them to its stations. */
export class OpenExchange {
  readonly #sent = new Map<ConnectionId, Uint8Array>();
  readonly #received = new Map<ConnectionId, Uint8Array>();

  sent(connection: ConnectionId, message: Uint8Array): void {
    this.#sent.set(connection, message);
  }

  /** @param body Copied. */
  received(connection: ConnectionId, body: Uint8Array): void {
    this.#received.set(connection, encodeMessage(MessageType.Open, body));
  }

  /** Those of the connection that became the session. */
  pair(connection: ConnectionId): OpenPair | undefined {
    const [sent, received] = [this.#sent.get(connection), this.#received.get(connection)];
    return sent && received && { sent, received };
  }

  forget(connection: ConnectionId): void {
    this.#sent.delete(connection);
    this.#received.delete(connection);
  }
}
