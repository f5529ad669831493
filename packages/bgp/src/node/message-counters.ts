import { MessageType } from '../core/wire/header.ts';

/** Messages of one direction, by type, since the peer was configured. */
export interface MessageCounts {
  open: number;
  update: number;
  notification: number;
  keepalive: number;
  routeRefresh: number;
}

const FIELD: Readonly<Record<number, keyof MessageCounts>> = {
  [MessageType.Open]: 'open',
  [MessageType.Update]: 'update',
  [MessageType.Notification]: 'notification',
  [MessageType.Keepalive]: 'keepalive',
  [MessageType.RouteRefresh]: 'routeRefresh',
};

export function noMessages(): MessageCounts {
  return { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0 };
}

export function countMessage(counts: MessageCounts, messageType: number): void {
  const field = FIELD[messageType];
  if (field) counts[field] += 1;
}

export function totalMessages(counts: MessageCounts): number {
  return counts.open + counts.update + counts.notification + counts.keepalive + counts.routeRefresh;
}
