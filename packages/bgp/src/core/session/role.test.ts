import type { Asn } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { MachineScript, type TheirOpen } from '../../../test/machine-script.ts';
import type { PeerConfig } from '../config.ts';
import { NO_CAPABILITIES } from '../wire/capabilities.ts';
import { type BgpRole, roleValue } from '../wire/role.ts';

const ROLES: readonly BgpRole[] = ['provider', 'rs', 'rs-client', 'customer', 'peer'];

/** A peer that tells roles by value. */
const telling = (...roles: number[]): TheirOpen => ({
  capabilities: { ...NO_CAPABILITIES, families: ['ipv4'], fourOctetAs: 65011, roles },
});

/** What becomes of the OPEN of a peer, when we are configured so. */
function answer(config: Partial<PeerConfig>, theirs: TheirOpen): string {
  const script = new MachineScript(config);
  script.do({ type: 'start' });
  script.connected(1);
  const line = script.open(1, theirs);
  return /close 1 with ([\d/]+)/.exec(line)?.[1] ?? /→ (\w+)/.exec(line)?.[1] ?? line;
}

describe('roles must be a pair (RFC 9234 section 4.2)', () => {
  test('of all combinations these five are', () => {
    const pairs = ROLES.flatMap((own) =>
      ROLES.filter(
        (theirs) => answer({ role: own }, telling(roleValue(theirs))) === 'OpenConfirm',
      ).map((theirs) => `${own}/${theirs}`),
    );
    expect(pairs).toEqual([
      'provider/customer',
      'rs/rs-client',
      'rs-client/rs',
      'customer/provider',
      'peer/peer',
    ]);
  });

  test('what is no pair is refused with 2/11', () => {
    expect(answer({ role: 'customer' }, telling(3))).toBe('2/11');
    expect(answer({ role: 'customer' }, telling(5))).toBe('2/11');
  });

  test('a peer that tells several: only if they are the same', () => {
    expect(answer({ role: 'customer' }, telling(0, 4))).toBe('2/11');
    expect(answer({ role: 'customer' }, telling(0, 0))).toBe('OpenConfirm');
  });

  test('a peer that tells none: unless one insists', () => {
    expect(answer({ role: 'customer' }, telling())).toBe('OpenConfirm');
    expect(answer({ role: 'customer', strictRole: true }, telling())).toBe('2/11');
    expect(answer({ role: 'customer', strictRole: true }, telling(0))).toBe('OpenConfirm');
  });

  test('who has no role takes any', () => {
    expect(answer({}, telling(3))).toBe('OpenConfirm');
    expect(answer({}, telling(0, 1, 200))).toBe('OpenConfirm');
  });

  test('inside an AS there are none', () => {
    const internal = { role: 'customer', strictRole: true, asn: 65101 as Asn } as const;
    expect(answer(internal, { asn: 65101, families: ['ipv4'] })).toBe('OpenConfirm');
    const script = new MachineScript(internal);
    script.do({ type: 'start' });
    expect(script.sentOpen(1).capabilities.roles).toEqual([]);
  });
});

test.each(ROLES)('we tell ours: %s', (role) => {
  const script = new MachineScript({ role });
  script.do({ type: 'start' });
  expect(script.sentOpen(1).capabilities.roles).toEqual([roleValue(role)]);
});
