import type { ReportedSession } from './bgp-session.ts';

/**
 * Reads `show protocols all` of BIRD 2. One session per channel: a session that carries both families is two rows.
 *
 * @param now Of the node, for the uptime: BIRD says since when, in the node's own time of day.
 */
export function parseBirdProtocols(text: string, now: Date): ReportedSession[] {
  return text
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .filter((block) => /^\S+\s+BGP\s/m.test(block))
    .flatMap((block) => parseProtocol(block, now));
}

function parseProtocol(block: string, now: Date): ReportedSession[] {
  const field = (name: string): string | undefined =>
    new RegExp(`^\\s+${name}:\\s+(\\S+)`, 'm').exec(block)?.[1];
  const peerAddress = field('Neighbor address');
  if (peerAddress === undefined) return [];
  const state = field('BGP state') ?? 'Idle';
  const established = state === 'Established';
  return block
    .split(/^\s+Channel /m)
    .slice(1)
    .map((channel) => {
      const routes = /Routes:\s+(\d+) imported,(?: \d+ filtered,)? (\d+) exported/.exec(channel);
      return {
        family: channel.startsWith('ipv6') ? ('ipv6' as const) : ('ipv4' as const),
        peerAddress: peerAddress.split('%', 1)[0] ?? peerAddress,
        localAs: Number(field('Local AS') ?? 0),
        remoteAs: Number(field('Neighbor AS') ?? 0),
        state,
        received: established ? Number(routes?.[1] ?? 0) : undefined,
        sent: established ? Number(routes?.[2] ?? 0) : undefined,
        uptimeSeconds: established ? secondsSince(block, now) : undefined,
      };
    });
}

/** `07:00:34.699` today, or `2026-11-24` for what is older than a day. */
function secondsSince(block: string, now: Date): number | undefined {
  const clock = /\s(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?\s/.exec(block);
  if (!clock) return undefined;
  const [hours = 0, minutes = 0, seconds = 0] = clock.slice(1).map(Number);
  const then = new Date(now);
  then.setHours(hours, minutes, seconds, 0);
  const elapsed = Math.floor((now.getTime() - then.getTime()) / 1000);
  return elapsed >= 0 ? elapsed : elapsed + 24 * 3600;
}
