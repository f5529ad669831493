import type { Family } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { MachineScript, type TheirOpen } from '../../../test/machine-script.ts';
import { NO_CAPABILITIES } from '../wire/capabilities.ts';
import { HEADER_OCTETS, MessageType } from '../wire/header.ts';
import { encodeRouteRefresh, type RefreshKind } from '../wire/route-refresh.ts';

const announcing = (enhancedRouteRefresh: boolean): TheirOpen => ({
  capabilities: {
    ...NO_CAPABILITIES,
    families: ['ipv4', 'ipv6'],
    fourOctetAs: 65011,
    routeRefresh: true,
    enhancedRouteRefresh,
  },
});

function session(isEnhanced = true): (kind: RefreshKind, family: Family) => string {
  const script = new MachineScript();
  script.establish(announcing(isEnhanced));
  return (kind, family) => {
    const body = encodeRouteRefresh({ kind, family }).subarray(HEADER_OCTETS);
    return script.message(1, MessageType.RouteRefresh, body).replace('restart hold 1, ', '');
  };
}

describe('a refresh of the peer (RFC 7313)', () => {
  test('from its beginning to its end', () => {
    const hear = session();
    expect(hear('begin', 'ipv4')).toBe('beginRefresh ipv4, arm refresh for 300');
    expect(hear('end', 'ipv4')).toBe('flush ipv4, disarm refresh');
  });

  test('of both families, one inside the other', () => {
    const hear = session();
    hear('begin', 'ipv4');
    hear('begin', 'ipv6');
    expect(hear('end', 'ipv4')).toBe('flush ipv4');
    expect(hear('end', 'ipv6')).toBe('flush ipv6, disarm refresh');
  });

  test('that begins again begins again', () => {
    const hear = session();
    hear('begin', 'ipv4');
    expect(hear('begin', 'ipv4')).toBe('beginRefresh ipv4, arm refresh for 300');
  });

  test('an end without a beginning flushes nothing', () => {
    expect(session()('end', 'ipv4')).toBe('restart hold 1');
  });

  test('means nothing unless both sides announced it; a request does', () => {
    const hear = session(false);
    expect(hear('begin', 'ipv4')).toBe('restart hold 1');
    expect(hear('end', 'ipv4')).toBe('restart hold 1');
    expect(hear('request', 'ipv4')).toBe('refresh ipv4');
  });

  test('that never ends costs what was not sent again, after the stale path time', () => {
    const script = new MachineScript();
    script.establish(announcing(true));
    const begin = encodeRouteRefresh({ kind: 'begin', family: 'ipv6' }).subarray(HEADER_OCTETS);
    script.message(1, MessageType.RouteRefresh, begin);
    expect(script.do({ type: 'timer', timer: 'refresh' })).toBe('flush ipv6');
    expect(script.do({ type: 'timer', timer: 'refresh' })).toBe('');
  });

  test('ends with the session', () => {
    const script = new MachineScript();
    script.establish(announcing(true));
    const begin = encodeRouteRefresh({ kind: 'begin', family: 'ipv4' }).subarray(HEADER_OCTETS);
    script.message(1, MessageType.RouteRefresh, begin);
    expect(script.lost(1)).toContain('disarm refresh, down');
    expect(script.do({ type: 'timer', timer: 'refresh' })).toBe('');
  });

  test('of a wrong length costs the session: 7/1', () => {
    const script = new MachineScript();
    script.establish(announcing(true));
    const body = Uint8Array.of(0, 1, 1, 1, 0);
    expect(script.message(1, MessageType.RouteRefresh, body)).toContain('close 1 with 7/1');
  });
});
