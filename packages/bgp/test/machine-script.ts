import { type Asn, type Family, type IpAddress, parseAddress } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../src/core/config.ts';
import type { PeerEffect, PeerEvent } from '../src/core/session/peer-events.ts';
import { PeerMachine } from '../src/core/session/peer-machine.ts';
import { type Capabilities, NO_CAPABILITIES } from '../src/core/wire/capabilities.ts';
import { HEADER_OCTETS, MessageType } from '../src/core/wire/header.ts';
import { encodeNotification, notificationName } from '../src/core/wire/notification.ts';
import { decodeOpen, encodeOpen, type Open } from '../src/core/wire/open.ts';

export const address = (text: string): IpAddress => parseAddress(text);
export const OWN_ID = '10.0.0.5';
export const LOCAL = address('192.0.2.0');

export const peerConfig: PeerConfig = {
  name: 'leaf11',
  address: address('192.0.2.1'),
  port: 179,
  asn: 65011 as Asn,
  families: ['ipv4', 'ipv6'],
  holdSeconds: 9,
  keepaliveSeconds: 3,
  connectRetrySeconds: 5,
  passive: false,
  allowAsIn: 0,
  asOverride: false,
  nextHop: 'auto',
  ttl: 1,
};

export const speaker: SpeakerConfig = {
  asn: 65101 as Asn,
  routerId: address(OWN_ID),
  role: 'host',
  listen: [],
  multipath: { maxPaths: 8, relaxAsPath: true },
  gracefulRestart: {
    enabled: true,
    restartSeconds: 120,
    stalePathSeconds: 300,
    deferralSeconds: 30,
  },
  peers: [peerConfig],
  originate: [],
};

export interface TheirOpen {
  readonly asn?: number;
  readonly id?: string;
  readonly hold?: number;
  readonly families?: readonly Family[];
  /** Families of the graceful restart capability with a `!` where forwarding was kept. */
  readonly restart?: string;
  readonly restarted?: boolean;
  /** The same of the long-lived graceful restart capability: an hour. */
  readonly longLived?: string;
  /** N bit of the graceful restart capability. */
  readonly notification?: boolean;
  readonly capabilities?: Capabilities;
}

export function theirOpen(given: TheirOpen = {}): Uint8Array {
  const families = keptFamilies(given.restart);
  const capabilities: Capabilities = given.capabilities ?? {
    ...NO_CAPABILITIES,
    families: given.families ?? ['ipv4', 'ipv6'],
    fourOctetAs: given.asn ?? 65011,
    routeRefresh: true,
    gracefulRestart:
      given.restart === undefined
        ? undefined
        : {
            restarted: given.restarted ?? false,
            notification: given.notification ?? false,
            restartSeconds: 60,
            families,
          },
    longLivedRestart:
      given.longLived === undefined
        ? undefined
        : keptFamilies(given.longLived).map((kept) => ({ ...kept, staleSeconds: 3600 })),
  };
  const open = { asn: given.asn ?? 65011, holdSeconds: given.hold ?? 90, capabilities };
  return encodeOpen({ ...open, routerId: address(given.id ?? '10.0.0.1') }).subarray(HEADER_OCTETS);
}

/** Families with a `!` where forwarding was kept. */
function keptFamilies(text = '') {
  return text
    .split(' ')
    .filter((name) => name !== '')
    .map((name) => ({
      family: name.replace('!', '') as Family,
      forwarding: name.endsWith('!'),
    }));
}

/** Drives a machine and writes down what it wants done, one line per event. */
export class MachineScript {
  readonly machine: PeerMachine;
  nowMs = 0;

  constructor(config: Partial<PeerConfig> = {}, speakerConfig: Partial<SpeakerConfig> = {}) {
    this.machine = new PeerMachine({
      id: 1,
      context: {
        speaker: { ...speaker, ...speakerConfig },
        config: { ...peerConfig, ...config },
      },
      restart: { restarting: false, preserved: [] },
      random: () => 1,
    });
  }

  do(event: PeerEvent): string {
    return this.machine.handle(event, this.nowMs).map(words).join(', ');
  }

  message(connection: number, messageType: number, body: Uint8Array = new Uint8Array()): string {
    return this.do({ type: 'message', connection, messageType, body });
  }

  open(connection: number, given: TheirOpen = {}): string {
    return this.message(connection, MessageType.Open, theirOpen(given));
  }

  keepalive(connection: number): string {
    return this.message(connection, MessageType.Keepalive);
  }

  notification(connection: number, code: number, subcode: number, data = new Uint8Array()): string {
    const whole = encodeNotification({ code, subcode, data });
    return this.message(connection, MessageType.Notification, whole.subarray(HEADER_OCTETS));
  }

  connected(connection: number): string {
    return this.do({ type: 'connected', connection, local: LOCAL });
  }

  /** The OPEN that the connection sends when TCP is connected. */
  sentOpen(connection: number): Open {
    const event = { type: 'connected', connection, local: LOCAL } as const;
    const sent = this.machine.handle(event, this.nowMs).find(({ type }) => type === 'send');
    if (sent?.type !== 'send') throw new Error('no OPEN');
    return decodeOpen(sent.bytes.subarray(HEADER_OCTETS));
  }

  accepted(): string {
    const connection = this.machine.nextConnection();
    return this.do({ type: 'accepted', connection, local: LOCAL });
  }

  lost(connection: number): string {
    return this.do({ type: 'lost', connection, reason: 'closed by the peer' });
  }

  /** To Established over the first dialled connection. */
  establish(given: TheirOpen = {}): string {
    this.do({ type: 'start' });
    this.connected(1);
    this.open(1, given);
    return this.keepalive(1);
  }
}

function words(effect: PeerEffect): string {
  const on =
    'connection' in effect && effect.connection !== undefined ? ` ${effect.connection}` : '';
  switch (effect.type) {
    case 'send':
      return `send ${effect.message}${on}`;
    case 'close':
      return `close${on}${effect.fault ? ` with ${effect.fault.code}/${effect.fault.subcode}` : ''}`;
    case 'arm':
      return `arm ${effect.timer}${on} for ${effect.seconds}`;
    case 'restart':
    case 'disarm':
      return `${effect.type} ${effect.timer}${on}`;
    case 'up':
      return `up ${effect.session.families.join('+')} hold ${effect.session.holdSeconds}`;
    case 'down':
      return `down keeping [${effect.retain.join('+')}]`;
    case 'flush':
    case 'longLived':
      return `${effect.type} ${effect.families.join('+')}`;
    case 'refresh':
    case 'beginRefresh':
      return `${effect.type} ${effect.family}`;
    case 'state':
      return `${effect.from} → ${effect.to}`;
    case 'received':
      return `received ${notificationName(effect.notification)}`;
    default:
      return `${effect.type}${on}`;
  }
}
