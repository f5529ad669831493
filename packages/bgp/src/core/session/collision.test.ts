import { describe, expect, test } from 'vitest';
import { MachineScript, OWN_ID } from '../../../test/machine-script.ts';
import { CeaseSubcode, ErrorCode } from '../wire/bgp-error.ts';

describe('collision (RFC 4271 section 6.8)', () => {
  /** Both sides have dialled: 1 is ours, 2 theirs, both in OpenSent. */
  function colliding(): MachineScript {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    script.accepted();
    return script;
  }

  test('ours stays when our identifier is higher', () => {
    const script = colliding();
    script.open(1, { id: '10.0.0.1' });
    expect(script.open(2, { id: '10.0.0.1' })).toBe('close 2 with 6/7, forget 2');
    expect(script.keepalive(1)).toContain('OpenConfirm → Established');
  });

  test('theirs stays when their identifier is higher, compared as a number', () => {
    const script = colliding();
    script.open(1, { id: '10.0.0.10' });
    expect(script.open(2, { id: '10.0.0.10' })).toBe(
      'close 1 with 6/7, forget 1, send keepalive 2, arm hold 2 for 9, arm keepalive 2 for 3',
    );
  });

  test('the order of the two OPENs makes no difference', () => {
    const script = colliding();
    script.open(2, { id: '10.0.0.10' });
    expect(script.open(1, { id: '10.0.0.10' })).toBe('close 1 with 6/7, forget 1');
  });

  test('equal identifiers: the higher AS number wins', () => {
    const script = colliding();
    script.open(1, { id: OWN_ID });
    expect(script.open(2, { id: OWN_ID })).toContain('close 2 with 6/7');
  });

  test('the one that waits in OpenSent loses to Established', () => {
    const script = colliding();
    script.open(2);
    expect(script.keepalive(2)).toContain('close 1 with 6/7');
  });

  test('an attempt of ours gives way when theirs has an OPEN', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.accepted();
    expect(script.open(2)).toContain('close 1, forget 1');
  });

  test('a NOTIFICATION for the loser leaves the other connection alone', () => {
    const script = colliding();
    expect(script.notification(1, ErrorCode.Cease, CeaseSubcode.ConnectionCollision)).toBe(
      'received Cease/Connection Collision Resolution, close 1, forget 1',
    );
    expect(script.open(2)).toContain('OpenConfirm');
  });

  test('without graceful restart an Established session refuses newcomers', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.accepted()).toBe('close 2');
  });
});
