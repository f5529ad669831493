import type { Family } from '@overland/net';
import type { NotificationFault } from '../rib/route-engine.ts';
import { BgpError } from './bgp-error.ts';
import { type DescribedAttribute, describeAttributes, hexOf } from './describe-attributes.ts';
import {
  checkHeader,
  HEADER_OCTETS,
  MAX_EXTENDED_OCTETS,
  MAX_MESSAGE_OCTETS,
  MessageType,
} from './header.ts';
import { decodeMessage, type Message } from './message.ts';
import { pathIdOctets } from './mp-attributes.ts';
import { type DescribedPrefix, describeNlri } from './nlri.ts';
import { communicationOf, notificationName } from './notification.ts';
import { type Open, openFault } from './open.ts';
import type { RefreshKind, RouteRefresh } from './route-refresh.ts';
import { type UpdateContext, UpdateDecoder } from './update.ts';

/** What a message costs the session that it comes over. RFC 4271 section 6, RFC 7606 section 2. */
export type Verdict = 'ok' | 'attribute-discard' | 'treat-as-withdraw' | 'session-reset';

/** How a message is to be read. */
export interface DescribeContext extends UpdateContext {
  /** RFC 8654 was negotiated. */
  readonly extended: boolean;
}

/** A message as data for people and scripts: plain JSON. */
export interface DescribedMessage {
  readonly type: 'open' | 'update' | 'notification' | 'keepalive' | 'route-refresh' | 'unreadable';
  /** Octets of the whole message. */
  readonly length: number;
  readonly verdict: Verdict;
  /** The NOTIFICATION that `session-reset` sends. */
  readonly notification?: DescribedNotification;
  /** Why the verdict is not `ok`. */
  readonly reason?: string;
  readonly open?: Open;
  readonly update?: DescribedUpdate;
  /** What a NOTIFICATION says. */
  readonly says?: DescribedNotification & { readonly communication?: string };
  /** Of a ROUTE-REFRESH; `null` for one that we do not speak. */
  readonly family?: Family | null;
  /** Of a ROUTE-REFRESH: a request, or where the answer begins or ends (RFC 7313). */
  readonly refresh?: RefreshKind;
}

export interface DescribedNotification {
  readonly code: number;
  readonly subcode: number;
  readonly name: string;
  /** Hexadecimal. */
  readonly data: string;
}

export interface DescribedUpdate {
  readonly withdrawn: readonly DescribedPrefix[];
  readonly announced: readonly DescribedPrefix[];
  readonly attributes: readonly DescribedAttribute[];
  readonly endOfRib?: Family;
}

/** Reads one whole message, header included, as a session would. Never throws, whatever the octets are. */
export function describeMessage(octets: Uint8Array, context: DescribeContext): DescribedMessage {
  const { length } = octets;
  if (length < HEADER_OCTETS) {
    return {
      type: 'unreadable',
      length,
      verdict: 'session-reset',
      reason: `${length} octets are no header`,
    };
  }
  try {
    const told = checkHeader(octets, 0, context.extended);
    if (told !== length) {
      const reason = `the header says ${told} octets, there are ${length}`;
      return { type: 'unreadable', length, verdict: 'session-reset', reason };
    }
  } catch (error) {
    if (!(error instanceof BgpError)) throw error;
    return { type: 'unreadable', length, ...reset(error) };
  }
  const body = octets.subarray(HEADER_OCTETS);
  const type = octets[HEADER_OCTETS - 1] ?? 0;
  const message = decodeMessage(type, body);
  if (message.type === 'update') return { length, ...describeUpdateBody(body, context) };
  return {
    length,
    ...describeControl(message, type === MessageType.Open ? 'open' : 'route-refresh'),
  };
}

type Described = Omit<DescribedMessage, 'length'>;

/** @param faulty The type of what could not be read. */
function describeControl(
  message: Exclude<Message, { type: 'update' }>,
  faulty: 'open' | 'route-refresh',
): Described {
  switch (message.type) {
    case 'open': {
      const fault = openFault(message.open);
      return { type: 'open', open: message.open, ...(fault ? reset(fault) : OK) };
    }
    case 'notification': {
      const communication = communicationOf(message.notification);
      const says = {
        ...describeNotification(message.notification),
        ...(communication && { communication }),
      };
      return { type: 'notification', says, ...OK };
    }
    case 'keepalive':
      return { type: 'keepalive', ...OK };
    case 'route-refresh':
      return { type: 'route-refresh', ...describeRefresh(message.refresh), ...OK };
    case 'fault':
      return { type: faulty, ...reset(message.fault) };
  }
}

function describeRefresh(
  refresh: RouteRefresh | undefined,
): Pick<DescribedMessage, 'family' | 'refresh'> {
  return refresh ? { family: refresh.family, refresh: refresh.kind } : { family: null };
}

const OK = { verdict: 'ok' } as const;

function describeUpdateBody(body: Uint8Array, context: DescribeContext): Described {
  const decoder = new UpdateDecoder(context.extended ? MAX_EXTENDED_OCTETS : MAX_MESSAGE_OCTETS);
  const fault = decoder.decode(body, context);
  if (fault) return { type: 'update', ...reset(fault) };
  const attributesAt = 2 + (((body[0] ?? 0) << 8) | (body[1] ?? 0));
  const attributesFrom = attributesAt + 2;
  const nlriFrom =
    attributesFrom + (((body[attributesAt] ?? 0) << 8) | (body[attributesAt + 1] ?? 0));
  const idOctets = pathIdOctets('ipv4', context.addPath);
  const prefixes = (from: number, to: number) =>
    describeNlri('ipv4', { bytes: body, from, to }, idOctets);
  const update: DescribedUpdate = {
    withdrawn: prefixes(2, attributesAt),
    announced: prefixes(nlriFrom, body.length),
    attributes: describeAttributes({ bytes: body, from: attributesFrom, to: nlriFrom }, context),
    ...(decoder.endOfRib && { endOfRib: decoder.endOfRib }),
  };
  return { type: 'update', update, ...cost(decoder) };
}

function cost({ withdrawReason, discarded }: UpdateDecoder): Pick<Described, 'verdict' | 'reason'> {
  if (withdrawReason !== undefined) return { verdict: 'treat-as-withdraw', reason: withdrawReason };
  if (discarded.length === 0) return OK;
  return { verdict: 'attribute-discard', reason: discarded.join(', ') };
}

function reset(fault: NotificationFault): Pick<Described, 'verdict' | 'notification' | 'reason'> {
  const { reason } = fault;
  return { verdict: 'session-reset', notification: describeNotification(fault), reason };
}

function describeNotification({
  code,
  subcode,
  data,
}: Pick<NotificationFault, 'code' | 'subcode' | 'data'>): DescribedNotification {
  const hex = hexOf({ bytes: data, from: 0, to: data.length });
  return { code, subcode, name: notificationName({ code, subcode, data }), data: hex };
}
