import { parseSelector } from '@overland/model';
import { expect, test } from 'vitest';
import { activateRule } from '../policy/activate-rule.ts';
import { AddressSets, selectorSet } from '../policy/address-sets.ts';
import type { Version } from './names.ts';
import { setName } from './names.ts';
import { renderRule } from './render-rule.ts';

type Rule = Parameters<typeof activateRule>[0];

function render(rule: object, version: Version = 4): string[] {
  return renderRule(
    activateRule({ action: 'Deny', ...rule } as Rule, undefined, new AddressSets([])),
    'NetworkPolicy prod/web 1',
    version,
  );
}

const ports = (length: number) => Array.from({ length }, (_, i) => 1000 + i);

test('a choice of one kind is a line for each', () => {
  expect(render({ source: { nets: ['10.0.0.0/8', '192.0.2.1/32', 'fd00::/8'] } })).toEqual([
    '-s 10.0.0.0/8 -g cali-denied',
    '-s 192.0.2.1/32 -g cali-denied',
  ]);
  expect(render({ source: { nets: ['10.0.0.0/8', 'fd00::/8'] } }, 6)).toEqual([
    '-s fd00::/8 -g cali-denied',
  ]);
  expect(render({ source: { nets: ['10.0.0.0/8'] } }, 6)).toEqual([]);
});

test('choices of several kinds cost their sum', () => {
  const nets = Array.from({ length: 100 }, (_, i) => `10.${i}.0.0/16`);
  const lines = render({
    protocol: 'TCP',
    source: { nets },
    destination: { nets, ports: ports(40) },
  });
  expect(lines.length).toBeLessThan(220);
  expect(lines.at(-1)).toBe('-p 6 -m mark --mark 0x80000/0x80000 -g cali-denied');
});

test('a match of ports holds 15 of them, a range counts twice', () => {
  const destination = { ports: [...ports(14), '2000:3000'] };
  const [first, second, ...others] = render({ protocol: 'UDP', destination });
  expect(first).toBe(
    `-p 17 -m multiport --destination-ports ${ports(14).join(',')} -g cali-denied`,
  );
  expect(second).toBe('-p 17 -m multiport --destination-ports 2000:3000 -g cali-denied');
  expect(others).toEqual([]);
});

test('ports that are excluded are excluded all in one line', () => {
  const [line] = render({ protocol: 'TCP', source: { notPorts: ports(16) } });
  expect(line).toBe(
    `-p 6 -m multiport ! --source-ports ${ports(15).join(',')} -m multiport ! --source-ports 1015 -g cali-denied`,
  );
});

test('what allows and passes leaves a mark', () => {
  const named = { protocol: 'TCP', destination: { ports: ['web', 80] } };
  expect(render({ ...named, action: 'Allow' })).toEqual([
    '-p 6 -m multiport --destination-ports 80 -j MARK --set-xmark 0x10000/0x10000',
    expect.stringMatching(
      /^-p 6 -m set --match-set cali40o:\S{23} dst,dst -j MARK --set-xmark 0x10000\/0x10000$/,
    ),
    '-m mark --mark 0x10000/0x10000 -j RETURN',
  ]);
  expect(render({ action: 'Pass' })).toEqual([
    '-j MARK --set-xmark 0x20000/0x20000',
    '-m mark --mark 0x20000/0x20000 -j RETURN',
  ]);
});

test('what logs does it once for each packet', () => {
  const lines = render({ action: 'Log', source: { nets: ['10.0.0.0/8', '10.1.0.0/16'] } });
  expect(lines).toEqual([
    '-j MARK --set-xmark 0x0/0x80000',
    '-s 10.0.0.0/8 -j MARK --set-xmark 0x80000/0x80000',
    '-s 10.1.0.0/16 -j MARK --set-xmark 0x80000/0x80000',
    '-m mark --mark 0x80000/0x80000 -j NFLOG --nflog-group 1 --nflog-prefix "NetworkPolicy prod/web 1"',
  ]);
});

test('a type of ICMP is excluded among packets of ICMP alone', () => {
  expect(render({ notICMP: { type: 8 } })).toEqual([
    '-j MARK --set-xmark 0x80000/0x80000',
    '-p 1 -m icmp --icmp-type 8 -j MARK --set-xmark 0x0/0x80000',
    '-m mark --mark 0x80000/0x80000 -g cali-denied',
  ]);
  expect(render({ protocol: 'ICMPv6', notICMP: { type: 128, code: 0 } }, 6)).toEqual([
    '-p 58 -m icmp6 ! --icmpv6-type 128/0 -g cali-denied',
  ]);
});

test('sets of selectors have the identifier that Calico gives them', () => {
  const id = selectorSet(parseSelector('all()')).id;
  expect(setName(id, 4)).toBe('cali40o:5y5I3VdRZfDU01O--xXAPx2');
  expect(render({ source: { selector: 'all()' } })).toEqual([
    '-m set --match-set cali40o:5y5I3VdRZfDU01O--xXAPx2 src -g cali-denied',
  ]);
});
