import type { PeerConfig, PrefixLimit } from '@overland/bgp';
import { type BgpPeer, parseDuration } from '@overland/model';
import type { Family } from '@overland/net';
import type { Report } from './diagnostics.ts';
import { passwordOf } from './passwords.ts';

/** Hold time where the peer's resource gives none, seconds: RFC 4271 section 10 suggests 90, Calico inherits BIRD's 240. */
const HOLD_SECONDS = 90;
/** Calico's `connect retry time`, seconds. */
const CONNECT_RETRY_SECONDS = 5;
/** Calico's sessions are multihop; the kernel's usual TTL does for them. */
const TTL = 64;
/** GTSM, RFC 5082: the other side counts down from here. */
const TTL_SECURITY = 255;

const ROLES = {
  Provider: 'provider',
  Customer: 'customer',
  Peer: 'peer',
  RS: 'rs',
  RSClient: 'rs-client',
} as const;
const PRIVATE_AS = { Remove: 'remove', All: 'all', Replace: 'replace' } as const;
const LOCAL_AS = { Replace: undefined, NoPrepend: 'no-prepend', Prepend: 'prepend' } as const;
const FORMATS = { Native: 'native', Single: 'single', Double: 'double' } as const;
const ACTIONS = { Warn: 'warn', Stop: 'stop', Restart: 'restart' } as const;

/** What a session's settings come from: nothing, for a session of the mesh. */
export type SessionSpec = Partial<BgpPeer['spec']>;

type Settings = Pick<
  PeerConfig,
  | 'holdSeconds'
  | 'keepaliveSeconds'
  | 'connectRetrySeconds'
  | 'allowAsIn'
  | 'asOverride'
  | 'nextHop'
  | 'ttl'
  | 'minTtl'
  | 'password'
  | 'maxPrefixes'
  | 'maxAdvertised'
  | 'role'
  | 'strictRole'
  | 'gracefulShutdown'
  | 'bfd'
  | 'addPath'
  | 'minHoldSeconds'
  | 'extendedNextHop'
  | 'linkLocalNextHop'
  | 'extendedMessages'
  | 'bindInterface'
  | 'removePrivateAs'
  | 'localAsMode'
  | 'enforceFirstAs'
  | 'allowAsSets'
  | 'defaultOriginate'
>;

interface SettingsContext {
  /** For diagnostics. */
  readonly resource: string;
  readonly report: Report;
  readonly secretsDirectory: string;
}

/** The part of a {@link PeerConfig} that does not depend on who the peer is. */
export function sessionSettings(
  spec: SessionSpec,
  { resource, report, secretsDirectory }: SettingsContext,
): Settings {
  const password = spec.password && passwordOf(spec.password, secretsDirectory);
  const keepalive = seconds(spec.keepaliveTime);
  const hold = holdSeconds(spec, keepalive, resource, report);
  return {
    holdSeconds: hold,
    keepaliveSeconds: keepalive ?? Math.floor(hold / 3),
    connectRetrySeconds: Math.max(1, seconds(spec.connectRetry) ?? CONNECT_RETRY_SECONDS),
    allowAsIn: spec.numAllowedLocalASNumbers ?? 0,
    asOverride: spec.asOverride ?? false,
    nextHop: nextHopOf(spec),
    ...(spec.ttlSecurity
      ? { ttl: TTL_SECURITY, minTtl: TTL_SECURITY + 1 - spec.ttlSecurity }
      : { ttl: TTL }),
    ...(password && { password }),
    ...(spec.role && { role: ROLES[spec.role] }),
    ...(spec.strictRole && { strictRole: true }),
    ...(spec.gracefulShutdown && { gracefulShutdown: true }),
    ...(spec.bfd && { bfd: bfdOf(spec.bfd) }),
    ...(spec.addPath && { addPath: addPathOf(spec.addPath) }),
    ...(spec.maxPrefixes && { maxPrefixes: prefixLimit(spec.maxPrefixes) }),
    ...(spec.maxPrefixes?.advertised && { maxAdvertised: perFamily(spec.maxPrefixes.advertised) }),
    ...pathSettings(spec),
    ...nextHopSettings(spec),
  };
}

/** What is done about paths, and to whom it is offered more than there is. */
function pathSettings(spec: SessionSpec): Partial<Settings> {
  const localAsMode = spec.localASMode && LOCAL_AS[spec.localASMode];
  return {
    ...(localAsMode && { localAsMode }),
    ...(spec.removePrivateAS && { removePrivateAs: PRIVATE_AS[spec.removePrivateAS] }),
    ...(spec.enforceFirstAS && { enforceFirstAs: true }),
    ...(spec.allowASSets && { allowAsSets: true }),
    ...(spec.defaultOriginate && { defaultOriginate: true }),
  };
}

/** What the OPENs settle, and where the session stays. */
function nextHopSettings(spec: SessionSpec): Partial<Settings> {
  const { extendedNextHop, linkLocalNextHop, bindInterface } = spec;
  const minHoldSeconds = seconds(spec.minimumHoldTime);
  return {
    ...(minHoldSeconds !== undefined && { minHoldSeconds }),
    ...(extendedNextHop !== undefined && { extendedNextHop }),
    ...(linkLocalNextHop && { linkLocalNextHop: FORMATS[linkLocalNextHop] }),
    ...(spec.extendedMessages && { extendedMessages: true }),
    ...(bindInterface !== undefined && { bindInterface }),
  };
}

/** `Auto` is left to the speaker, which knows the links. */
function bfdOf(spec: NonNullable<SessionSpec['bfd']>): NonNullable<PeerConfig['bfd']> {
  const { transmitInterval, receiveInterval, detectMultiplier, multihop, minimumTTL } = spec;
  return {
    transmitMs: parseDuration(transmitInterval),
    receiveMs: parseDuration(receiveInterval),
    detectMultiplier,
    passive: spec.passive,
    strict: spec.strict,
    ...(multihop !== 'Auto' && { multihop: multihop === 'Enabled' }),
    ...(minimumTTL !== undefined && { minTtl: minimumTTL }),
  };
}

function addPathOf({
  receive,
  send,
  bestPaths = 1,
}: NonNullable<SessionSpec['addPath']>): NonNullable<PeerConfig['addPath']> {
  switch (send) {
    case 'None':
      return { receive };
    case 'All':
      return { receive, send: 'all' };
    case 'Multipath':
      return { receive, send: 'multipath' };
    case 'Best':
      return { receive, send: { best: bestPaths } };
  }
}

function prefixLimit(spec: NonNullable<SessionSpec['maxPrefixes']>): PrefixLimit {
  const { warningPercent, action, restartAfter } = spec;
  return {
    most: perFamily(spec),
    warningPercent,
    action: ACTIONS[action],
    restartSeconds: seconds(restartAfter) ?? 0,
  };
}

function perFamily({
  ipv4,
  ipv6,
}: {
  readonly ipv4?: number | undefined;
  readonly ipv6?: number | undefined;
}): Partial<Record<Family, number>> {
  return { ...(ipv4 !== undefined && { ipv4 }), ...(ipv6 !== undefined && { ipv6 }) };
}

function holdSeconds(
  spec: SessionSpec,
  keepalive: number | undefined,
  resource: string,
  report: Report,
): number {
  const fallback = Math.max(HOLD_SECONDS, 3 * (keepalive ?? 0));
  const hold = seconds(spec.holdTime);
  if (hold === undefined) return fallback;
  if (hold === 0 || (hold >= 3 && hold <= 0xffff)) return hold;
  report(resource, `holdTime ${spec.holdTime} is neither 0 nor 3s to 65535s: uses ${fallback}s`);
  return fallback;
}

/** Calico's `Self` is BIRD's `next hop self`: of what is reflected, too, unlike FRR's `next-hop-self`. */
function nextHopOf({ nextHopMode, keepOriginalNextHop }: SessionSpec): PeerConfig['nextHop'] {
  if (nextHopMode === 'Self') return 'force';
  return nextHopMode === 'Keep' || keepOriginalNextHop === true ? 'keep' : 'auto';
}

/** A duration in whole seconds; part of a second counts as one. */
export function seconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : Math.ceil(parseDuration(duration) / 1000);
}
