import type { NamedUpdateGroup } from '@overland/bgp/node';
import type { Colours } from '../colours.ts';
import { type Column, formatTable } from '../table.ts';
import { FAMILY_TITLES } from './peer-state.ts';

type Member = NamedUpdateGroup['members'][number];

const COLUMNS: readonly Column<Member>[] = [
  { title: 'Member', cell: ({ name }) => `  ${name}` },
  { title: 'Advertised', cell: ({ advertised }) => advertised, align: 'right' },
  { title: 'To announce', cell: ({ announcing }) => announcing, align: 'right' },
  { title: 'To withdraw', cell: ({ withdrawing }) => withdrawing, align: 'right' },
];

/** Classes of peers that are sent the same, with the settings that set them apart from others of the family. */
export function updateGroupsText(groups: readonly NamedUpdateGroup[], colours: Colours): string {
  if (groups.length === 0) return 'no sessions are up\n';
  return groups
    .map((group, index) => {
      const { family, members } = group;
      const title = `Update group ${index + 1}, ${FAMILY_TITLES[family]}, ${group.settings.ebgp ? 'eBGP' : 'iBGP'}`;
      const apart = dividing(
        group,
        groups.filter((other) => other.family === family),
      );
      return [
        `${colours.bold(title)}\n`,
        apart.length > 0 ? `  set apart by: ${apart.join(', ')}\n` : '',
        formatTable(COLUMNS, members, colours.dim),
      ].join('');
    })
    .join('\n');
}

/** `SETTING VALUE` of those settings that are not the same in all groups of a family. */
function dividing(group: NamedUpdateGroup, family: readonly NamedUpdateGroup[]): string[] {
  const own = settingsOf(group);
  const others = family.map(settingsOf);
  return Object.entries(own)
    .filter(([name, value]) => others.some((other) => other[name] !== value))
    .map(([name, value]) => `${name} ${value}`);
}

/** Each as text, so that two may be compared. */
function settingsOf({ settings, exportFilters }: NamedUpdateGroup): Record<string, string> {
  const texts = Object.entries(settings).map(([name, value]) => [name, textOf(value)] as const);
  return { ...Object.fromEntries(texts), exportFilters: exportFilters.join(' ') || 'none' };
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
