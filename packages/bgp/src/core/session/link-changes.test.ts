import { describe, expect, test } from 'vitest';
import { MachineScript } from '../../../test/machine-script.ts';
import { ErrorCode } from '../wire/bgp-error.ts';

describe('the link to the peer (fast external fallover)', () => {
  test('down ends the session without waiting, up dials at once', () => {
    const script = new MachineScript();
    script.establish();
    expect(script.do({ type: 'link', usable: false })).toBe(
      'close 1, down keeping [], disarm stale, forget 1, Established → Idle',
    );
    expect(script.accepted()).toBe('close 2');
    expect(script.do({ type: 'link', usable: true })).toContain('dial 3');
  });

  test('down while waiting in Idle ends the wait', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    script.notification(1, ErrorCode.OpenMessage, 2);
    expect(script.do({ type: 'link', usable: false })).toBe('disarm idleHold');
    expect(script.do({ type: 'link', usable: true })).toContain('dial 2');
  });
});
