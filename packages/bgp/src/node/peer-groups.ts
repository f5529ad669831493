/** Two words for one thing: a peer's own one takes the place of the other. */
interface Exclusive {
  password?: string | undefined;
  passwordFile?: string | undefined;
  ttl?: number | undefined;
  ttlSecurity?: number | undefined;
}

/** What a peer says of itself, as far as groups are concerned. */
interface Member {
  readonly group?: string | undefined;
  readonly asn?: unknown;
}

/** Settings of which the narrower ones win, also over the other word for the same thing. */
export function overlay<Wide extends Exclusive, Narrow extends Exclusive>(
  wide: Readonly<Wide>,
  narrow: Readonly<Narrow>,
): Wide & Narrow {
  const both: Wide & Narrow = { ...wide, ...narrow };
  if (narrow.password !== undefined) both.passwordFile = undefined;
  if (narrow.passwordFile !== undefined) both.password = undefined;
  if (narrow.ttl !== undefined) both.ttlSecurity = undefined;
  if (narrow.ttlSecurity !== undefined) both.ttl = undefined;
  return both;
}

/**
 * Members of groups that there are not, and those whose AS number nobody gives. One line per fault, with its path.
 *
 * @param field Where the members are: `peers` or `listenRanges`.
 */
export function groupFaults(
  groups: Readonly<Record<string, Member>>,
  field: string,
  members: readonly Member[],
): string[] {
  return members.flatMap(({ group, asn }, index) => {
    const settings =
      group !== undefined && Object.hasOwn(groups, group) ? groups[group] : undefined;
    if (group !== undefined && !settings) {
      const names = Object.keys(groups).join(', ') || 'none';
      return [`${field}[${index}].group: there is no group "${group}"; groups: ${names}`];
    }
    return asn === undefined && settings?.asn === undefined
      ? [`${field}[${index}].asn: missing`]
      : [];
  });
}
