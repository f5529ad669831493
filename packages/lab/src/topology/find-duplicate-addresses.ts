import { type IpAddress, ParseError, parseInterfaceAddress } from '@overland/net';
import type { Path, Report } from './fault.ts';

/** One `exec` line of a node and where it stands. */
export interface ExecLine {
  readonly node: string;
  readonly argv: readonly string[];
  readonly path: Path;
}

/** A node's label with the addresses that it shares with others on purpose, separated by commas. */
export const ANYCAST_LABEL = 'overland.anycast';

/**
 * Reports addresses that two nodes give themselves through `exec` (`ip address add ADDRESS dev NAME`). In a routed fabric that
 * is a slip of the hand which shows only as pings that fail now and then.
 *
 * @param anycast Addresses that may be given more than once, by {@link ANYCAST_LABEL}.
 */
export function findDuplicateAddresses(
  lines: readonly ExecLine[],
  anycast: ReadonlySet<string>,
  report: Report,
): void {
  const holders = new Map<IpAddress, string>();
  for (const { node, argv, path } of lines) {
    const given = addressGivenBy(argv);
    if (!given || anycast.has(given.address)) continue;
    const holder = holders.get(given.address);
    const name = `${node}:${given.device}`;
    if (holder !== undefined && holder !== name) {
      report(
        path,
        `address ${given.address} of ${name} is already that of ${holder} (if that is meant: label '${ANYCAST_LABEL}')`,
      );
    }
    holders.set(given.address, holder ?? name);
  }
}

/** What `ip address add` or `replace` does; `undefined` for any other command. */
function addressGivenBy(
  argv: readonly string[],
): { address: IpAddress; device: string } | undefined {
  const [program, ...rest] = argv;
  if (program !== 'ip' && !program?.endsWith('/ip')) return undefined;
  const [object = '', verb = '', text = '', ...options] = rest.filter(
    (word) => !word.startsWith('-'),
  );
  if (!'address'.startsWith(object) || !object.startsWith('a')) return undefined;
  if (!['add', 'a', 'replace', 'change'].includes(verb)) return undefined;
  const device = options[options.indexOf('dev') + 1];
  try {
    return { address: parseInterfaceAddress(text).address, device: device ?? '' };
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
