import { execFile } from 'node:child_process';
import { contentOf, type NftListing, verdictOf } from './nft-listing.ts';
import { scriptOf, textFingerprint } from './nft-script.ts';
import {
  type Nftables,
  type NftChange,
  type NftElementChange,
  NftError,
  type NftTable,
} from './nftables.ts';

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_OCTETS = 64 * 1024 * 1024;

/**
 * {@link Nftables} by running `nft`: about 5 ms a call.
 *
 * @param options.namespace Path of a network namespace; absent: that of this process.
 */
export function nftCommand(options: { readonly namespace?: string } = {}): Nftables {
  const nft = (args: readonly string[], input?: string): Promise<string> =>
    runNft(options.namespace, args, input);
  return {
    async transact(changes) {
      const maps = await mapsAmong(changes, () => nft(['-j', '-t', 'list', 'maps']));
      const isMap = (table: string, set: string) => maps.has(`${table} ${set}`);
      await nft(['-f', '-'], changes.map((change) => scriptOf(change, isMap)).join('\n'));
    },

    fingerprint: textFingerprint,

    async read(table) {
      const listing = await found(nft(['-n', '-j', 'list', 'table', ...table.split(' ')]));
      return listing === undefined ? undefined : contentOf(JSON.parse(listing) as NftListing);
    },

    async readTable(table) {
      const words = table.split(' ');
      const text = await found(nft(['-s', '-t', 'list', 'table', ...words]));
      if (text === undefined) return undefined;
      const listing = JSON.parse(await nft(['-j', 'list', 'table', ...words])) as NftListing;
      return { text: text.trim(), elements: elementsOf(listing) };
    },

    async replaceTable(table, content) {
      // `add` first: deleting what is not there would fail.
      const script = [`add table ${table}`, `delete table ${table}`, content.text];
      await nft(['-f', '-'], [...script, ...elementScript(table, content)].join('\n'));
    },

    async changeElements(table, map, { add, remove }) {
      const removal = remove.map((key) => `delete element ${table} ${map} { "${key}" }`);
      const script = [...removal, ...additions(table, map, add)];
      if (script.length > 0) await nft(['-f', '-'], script.join('\n'));
    },
  };
}

function elementScript(table: string, { elements }: NftTable): string[] {
  return [...elements].flatMap(([map, entries]) => additions(table, map, entries));
}

function additions(table: string, map: string, entries: NftElementChange['add']): string[] {
  return [...entries].map(
    ([key, verdict]) => `add element ${table} ${map} { "${key}" : ${verdict} }`,
  );
}

function elementsOf({ nftables }: NftListing): NftTable['elements'] {
  return new Map(
    nftables.flatMap(({ map }) =>
      map
        ? [
            [
              map.name,
              new Map(
                (map.elem ?? []).map((element) => {
                  const [key, to] = element as readonly unknown[];
                  return [String(key), verdictOf(to)];
                }),
              ),
            ],
          ]
        : [],
    ),
  );
}

/** Which sets are maps: those that are there, and those that are added. @param list Asks for them as JSON. */
async function mapsAmong(
  changes: readonly NftChange[],
  list: () => Promise<string>,
): Promise<Set<string>> {
  if (!changes.some(({ type }) => type === 'flush-set')) return new Set();
  const { nftables } = JSON.parse(await list()) as NftListing;
  return new Set([
    ...nftables.flatMap(({ map }) => (map ? [`${map.family} ${map.table} ${map.name}`] : [])),
    ...changes.flatMap((change) =>
      change.type === 'add-set' && change.verdicts ? [`${change.table} ${change.set}`] : [],
    ),
  ]);
}

/** What nft printed; `undefined` if there is nothing of that name. */
async function found(printed: Promise<string>): Promise<string | undefined> {
  try {
    return await printed;
  } catch (error) {
    if (error instanceof NftError && /No such file or directory/.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}

function runNft(
  namespace: string | undefined,
  args: readonly string[],
  input = '',
): Promise<string> {
  const argv = namespace === undefined ? ['nft'] : ['nsenter', `--net=${namespace}`, 'nft'];
  const [program = 'nft', ...before] = argv;
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_OCTETS };
    const child = execFile(program, [...before, ...args], options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else
        reject(
          new NftError(`nft ${args.join(' ')}: ${stderr.trim() || error.message}`, {
            cause: error,
          }),
        );
    });
    // A program that ends before it has read everything says why on stderr.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
