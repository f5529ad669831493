import type { Asn } from '@overland/net';
import { describe, expect, test } from 'vitest';
import { LOCAL, MachineScript, OWN_ID, type TheirOpen } from '../../../test/machine-script.ts';
import { HEADER_OCTETS } from '../wire/header.ts';
import { decodeOpen } from '../wire/open.ts';

describe('the OPEN of the peer', () => {
  test.each<[string, TheirOpen, string]>([
    ['another AS', { asn: 65012 }, '2/2'],
    ['identifier zero', { id: '0.0.0.0' }, '2/3'],
    ['hold time 1', { hold: 1 }, '2/6'],
    ['hold time 2', { hold: 2 }, '2/6'],
  ])('%s is refused', (_, open, error) => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, open)).toContain(`close 1 with ${error}`);
  });

  test('no common family is refused', () => {
    const script = new MachineScript({ families: ['ipv6'] });
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { families: ['ipv4'] })).toContain('close 1 with 2/7');
  });

  test('our identifier in our own AS is refused, in another AS it is not', () => {
    const [internal, external] = [new MachineScript({ asn: 65101 as Asn }), new MachineScript()];
    for (const script of [internal, external]) {
      script.do({ type: 'start' });
      script.connected(1);
    }
    expect(internal.open(1, { id: OWN_ID, asn: 65101 })).toContain('close 1 with 2/3');
    expect(external.open(1, { id: OWN_ID })).toContain('OpenConfirm');
  });

  test('our least hold time counts, hold time 0 then too', () => {
    const refuse = (hold: number): string => {
      const script = new MachineScript({ minHoldSeconds: 6 });
      script.do({ type: 'start' });
      script.connected(1);
      return script.open(1, { hold });
    };
    expect(refuse(5)).toContain('2/6');
    expect(refuse(0)).toContain('2/6');
    expect(refuse(6)).toContain('arm hold 1 for 6, arm keepalive 1 for 2');
  });

  test('hold time 0 is legal', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { hold: 0 })).toBe(
      'send keepalive 1, disarm hold 1, OpenSent → OpenConfirm',
    );
  });

  test('an AS number of four octets is the one in the capability', () => {
    const script = new MachineScript({ asn: 70000 as Asn });
    script.do({ type: 'start' });
    script.connected(1);
    expect(script.open(1, { asn: 70000 })).toContain('OpenConfirm');
  });
});

describe('our own OPEN', () => {
  const restartBits = (script: MachineScript, connection: number): string => {
    const effects = script.machine.handle(
      { type: 'connected', connection, local: LOCAL },
      script.nowMs,
    );
    const open = effects.find((effect) => effect.type === 'send');
    const restart =
      open && decodeOpen(open.bytes.subarray(HEADER_OCTETS)).capabilities.gracefulRestart;
    const forwarding = restart?.families.filter((entry) => entry.forwarding) ?? [];
    return `R=${Number(restart?.restarted)} F=${forwarding.map(({ family }) => family)}`;
  };

  test('after a restart has R, and F where the kernel kept our routes', () => {
    const script = new MachineScript();
    script.do({ type: 'restart', restart: { restarting: true, preserved: ['ipv4'] } });
    script.do({ type: 'start' });
    expect(restartBits(script, 1)).toBe('R=1 F=ipv4');
  });

  test('after a cold start has neither, after a mere loss of TCP has F', () => {
    const script = new MachineScript();
    script.do({ type: 'start' });
    expect(restartBits(script, 1)).toBe('R=0 F=');
    script.open(1, { restart: 'ipv4!' });
    script.keepalive(1);
    script.nowMs = 60_000;
    script.lost(1);
    expect(restartBits(script, 2)).toBe('R=0 F=ipv4,ipv6');
  });
});
