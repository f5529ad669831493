import { BgpError, CeaseSubcode, ErrorCode, OpenSubcode } from '../wire/bgp-error.ts';
import type { Message } from '../wire/message.ts';
import { type Notification, notificationName } from '../wire/notification.ts';
import type { Open } from '../wire/open.ts';
import type { RouteRefresh } from '../wire/route-refresh.ts';
import { isReplacedBy, keptDirection } from './collision.ts';
import type { Connection } from './connection.ts';
import type { ConnectionDriver } from './connection-driver.ts';
import type { IdleHold } from './idle-hold.ts';
import { negotiate } from './negotiation.ts';
import type { PeerTurn } from './peer-turn.ts';

/** What the messages of a peer do to its connections. */
export class MessageReceiver {
  readonly #driver: ConnectionDriver;
  readonly #turn: PeerTurn;
  readonly #idleHold: IdleHold;

  constructor(driver: ConnectionDriver, turn: PeerTurn, idleHold: IdleHold) {
    this.#driver = driver;
    this.#turn = turn;
    this.#idleHold = idleHold;
  }

  receive(connection: Connection, message: Message): void {
    switch (message.type) {
      case 'open':
        this.#open(connection, message.open);
        return;
      case 'notification':
        this.#notification(connection, message.notification);
        return;
      case 'keepalive':
        this.#driver.advance(connection, { type: 'KeepAliveMsg' });
        return;
      case 'update':
        this.#driver.advance(connection, { type: 'UpdateMsg' });
        return;
      case 'route-refresh':
        this.#routeRefresh(connection, message.refresh);
        return;
      case 'fault':
        this.#driver.advance(connection, { type: 'MessageFault', fault: message.fault });
    }
  }

  #open(connection: Connection, received: Open): void {
    const { sent } = connection;
    if (connection.state !== 'OpenSent' || !sent) {
      this.#driver.advance(connection, { type: 'BgpOpen', holdSeconds: 0, keepaliveSeconds: 0 });
      return;
    }
    const negotiated = negotiate(this.#driver.context.config, sent, received);
    if (negotiated instanceof BgpError) {
      this.#driver.advance(connection, { type: 'MessageFault', fault: negotiated });
      return;
    }
    if (!this.#collide(connection, sent, received)) {
      this.#driver.advance(connection, { type: 'OpenCollisionDump' });
      return;
    }
    connection.negotiated = negotiated;
    const { holdSeconds, keepaliveSeconds } = negotiated;
    const jittered = keepaliveSeconds * this.#driver.jitter();
    this.#driver.advance(connection, { type: 'BgpOpen', holdSeconds, keepaliveSeconds: jittered });
  }

  /** Settles a collision when an OPEN comes, RFC 4271 section 6.8. @returns Whether the connection may go on. */
  #collide(connection: Connection, sent: Open, received: Open): boolean {
    for (const rival of this.#driver.connections.all) {
      if (rival === connection) continue;
      if (rival.state === 'Established') {
        if (!isReplacedBy(rival, received, this.#turn.nowMs)) return false;
        this.#turn.reason = 'the peer has restarted: it opened a new connection';
        this.#driver.advance(rival, this.#driver.retry('TcpConnectionFails'));
      } else if (rival.state === 'OpenConfirm') {
        if (keptDirection(sent, received) !== connection.direction) return false;
        this.#driver.advance(rival, { type: 'OpenCollisionDump' });
      } else if (rival.state !== 'OpenSent') {
        this.#driver.advance(rival, { type: 'Stop' });
      }
    }
    return true;
  }

  #notification(connection: Connection, notification: Notification): void {
    const { code, subcode } = notification;
    this.#turn.reason = `received ${notificationName(notification)}`;
    this.#turn.push({ type: 'received', notification });
    const refusesParameters =
      code === ErrorCode.OpenMessage && subcode === OpenSubcode.UnsupportedOptionalParameter;
    const wasPlain = this.#driver.plain;
    if (connection.state === 'OpenSent' || connection.state === 'OpenConfirm') {
      this.#driver.plain =
        refusesParameters && !wasPlain && this.#driver.context.config.families.includes('ipv4');
    }
    const isHard = code === ErrorCode.Cease && subcode === CeaseSubcode.HardReset;
    this.#driver.advance(connection, { type: 'NotifMsg', isHard });
    if (this.#driver.plain && !wasPlain) this.#idleHold.forgive();
  }

  #routeRefresh(connection: Connection, refresh: RouteRefresh | undefined): void {
    this.#driver.advance(connection, { type: 'RouteRefreshMsg' });
    const { state, negotiated } = connection;
    if (state !== 'Established' || !refresh || !negotiated?.families.includes(refresh.family)) {
      return;
    }
    const { kind, family } = refresh;
    if (kind === 'request') this.#turn.push({ type: 'refresh', family });
    else if (negotiated.enhancedRefresh) {
      const { stalePathSeconds } = this.#driver.context.speaker.gracefulRestart;
      this.#turn.push(...this.#driver.refreshes.heard(kind, family, stalePathSeconds));
    }
  }
}
