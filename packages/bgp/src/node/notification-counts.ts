import { type Notification, notificationName } from '../core/wire/notification.ts';

/** A peer chooses codes as it likes: beyond these all others are one. */
const MAX_NAMES = 32;
const OTHERS = 'other';

interface Count {
  readonly direction: 'sent' | 'received';
  /** In words. */
  readonly name: string;
  count: number;
}

/** NOTIFICATIONs of one peer, by what they say. */
export class NotificationCounts {
  readonly #counts = new Map<string, Count>();

  get counts(): readonly Readonly<Count>[] {
    return [...this.#counts.values()];
  }

  add(direction: Count['direction'], notification: Notification): void {
    const known = notificationName(notification);
    const isFull = this.#counts.size >= MAX_NAMES && !this.#counts.has(`${direction} ${known}`);
    const name = isFull ? OTHERS : known;
    const key = `${direction} ${name}`;
    const count = this.#counts.get(key) ?? { direction, name, count: 0 };
    count.count += 1;
    this.#counts.set(key, count);
  }
}
