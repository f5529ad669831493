import type { NotificationFault } from '../rib/route-engine.ts';
import { BgpError } from './bgp-error.ts';
import { MessageType } from './header.ts';
import { decodeNotification, type Notification } from './notification.ts';
import { decodeOpen, type Open } from './open.ts';
import { decodeRouteRefresh, type RouteRefresh } from './route-refresh.ts';

/** A message as the session sees it; UPDATEs are the route engine's. */
export type Message =
  | { readonly type: 'open'; readonly open: Open }
  | { readonly type: 'update' }
  | { readonly type: 'notification'; readonly notification: Notification }
  | { readonly type: 'keepalive' }
  /** `refresh` is absent when it is of a family that we do not speak, or says what we do not know. */
  | { readonly type: 'route-refresh'; readonly refresh: RouteRefresh | undefined }
  /** It cannot be read. */
  | { readonly type: 'fault'; readonly fault: NotificationFault };

/** Decodes a message whose header has been checked. Never throws. */
export function decodeMessage(messageType: number, body: Uint8Array): Message {
  try {
    switch (messageType) {
      case MessageType.Open:
        return { type: 'open', open: decodeOpen(body) };
      case MessageType.Notification:
        return { type: 'notification', notification: decodeNotification(body) };
      case MessageType.Keepalive:
        return { type: 'keepalive' };
      case MessageType.RouteRefresh:
        return { type: 'route-refresh', refresh: decodeRouteRefresh(body) };
      default:
        return { type: 'update' };
    }
  } catch (error) {
    if (error instanceof BgpError) return { type: 'fault', fault: error };
    throw error;
  }
}
