import type { NamedUpdateGroup } from '@overland/bgp/node';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { updateGroupsText } from './update-groups-text.ts';

function group(
  names: readonly string[],
  settings: object = {},
  exportFilters: readonly string[] = [],
): NamedUpdateGroup {
  const member = { peer: 0, advertised: 12, announcing: 3, withdrawing: 0 };
  return {
    family: 'ipv4',
    settings: { ebgp: true, nextHop: 'auto', bgpRole: undefined, ...settings },
    exportFilters,
    members: names.map((name) => ({ ...member, name })),
  } as unknown as NamedUpdateGroup;
}

const text = (...groups: readonly NamedUpdateGroup[]) =>
  updateGroupsText(groups, coloursFor({}, {}));

test('each group with its members, and what sets it apart from the others of the family', () => {
  expect(
    text(group(['leaf1', 'leaf2']), group(['spine'], { nextHop: 'self' }, ['out', 'pad'])),
  ).toBe(`\
Update group 1, IPv4 Unicast, eBGP
  set apart by: nextHop auto, exportFilters none
Member   Advertised  To announce  To withdraw
  leaf1          12            3            0
  leaf2          12            3            0

Update group 2, IPv4 Unicast, eBGP
  set apart by: nextHop self, exportFilters out pad
Member   Advertised  To announce  To withdraw
  spine          12            3            0
`);
});

test('one group has nothing to be set apart from', () => {
  expect(text(group(['leaf1']))).not.toContain('set apart');
  expect(text()).toBe('no sessions are up\n');
});
