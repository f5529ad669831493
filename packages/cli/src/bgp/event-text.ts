import type { SpeakerEvent } from '@overland/bgp/node';
import type { Family } from '@overland/net';
import type { Colours } from '../colours.ts';
import { FAMILY_TITLES } from './peer-state.ts';

/** An event as a line: when, whom, what. */
export function eventText(event: SpeakerEvent, colours: Colours): string {
  const { time, peer, address } = event;
  const whom = peer === null ? 'speaker' : peer === address ? peer : `${peer} (${address})`;
  return `${colours.dim(time)}  ${colours.bold(whom)}  ${shaded(event, colours)}\n`;
}

function shaded(event: SpeakerEvent, colours: Colours): string {
  const text = words(event);
  switch (event.type) {
    case 'up':
      return colours.green(text);
    case 'down':
    case 'error':
      return colours.red(text);
    case 'notification':
    case 'limit':
      return colours.yellow(text);
    default:
      return text;
  }
}

function words(event: SpeakerEvent): string {
  switch (event.type) {
    case 'state':
      return `${event.from} to ${event.to}`;
    case 'up': {
      const { families, holdSeconds } = event;
      return `session is up: ${titles(families)}; hold time ${holdSeconds} seconds`;
    }
    case 'down':
      return `session is down: ${event.reason}${keeping(event.retained)}`;
    case 'notification': {
      const { direction, name, code, subcode, communication } = event;
      const said = communication === null ? '' : `: "${communication}"`;
      return `notification ${direction}: ${name} (${code}/${subcode})${said}`;
    }
    case 'error':
      return `no session: ${event.reason}`;
    case 'refresh':
      return refreshWords(event);
    case 'limit': {
      const { verdict, family, count, most } = event;
      return `prefixes ${verdict} the limit: ${count} of ${most} ${FAMILY_TITLES[family]}`;
    }
    case 'flushed':
      return `stale routes dropped: ${titles(event.families)}; ${event.reason}`;
    case 'bfd':
      return `BFD is ${event.state}`;
    case 'cleared':
      return 'cleared by the operator';
    case 'added':
      return 'peer added';
    case 'removed':
      return 'peer removed';
    case 'selecting':
      return 'routes are selected: the restart is over';
    case 'drain':
      return event.phase === 'active' ? 'in service again' : `out of service: ${event.phase}`;
  }
}

function refreshWords(event: Extract<SpeakerEvent, { type: 'refresh' }>): string {
  const title = FAMILY_TITLES[event.family];
  if (event.direction === 'sent') return `asked for ${title} again`;
  return event.kind === 'request' ? `asks for ${title} again` : `sends ${title} again`;
}

function keeping(families: readonly Family[]): string {
  return families.length === 0 ? '' : `; routes kept: ${titles(families)}`;
}

function titles(families: readonly Family[]): string {
  return families.map((family) => FAMILY_TITLES[family]).join(', ');
}
