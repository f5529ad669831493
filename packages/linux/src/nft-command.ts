import { execFile } from 'node:child_process';
import { type Nftables, type NftElementChange, NftError, type NftTable } from './nftables.ts';

const TIMEOUT_MS = 10_000;
const MAX_OUTPUT_OCTETS = 64 * 1024 * 1024;

/** The parts of `nft -j list table` that are used here. */
interface Listing {
  readonly nftables: readonly {
    readonly map?: { readonly name: string; readonly elem?: readonly (readonly unknown[])[] };
  }[];
}

/**
 * {@link Nftables} by running `nft`: about 5 ms a call.
 *
 * @param options.namespace Path of a network namespace; absent: that of this process.
 */
export function nftCommand(options: { readonly namespace?: string } = {}): Nftables {
  const nft = (args: readonly string[], input?: string): Promise<string> =>
    runNft(options.namespace, args, input);
  return {
    async readTable(table) {
      const words = table.split(' ');
      try {
        const text = await nft(['-s', '-t', 'list', 'table', ...words]);
        const listing = JSON.parse(await nft(['-j', 'list', 'table', ...words])) as Listing;
        return { text: text.trim(), elements: elementsOf(listing) };
      } catch (error) {
        if (error instanceof NftError && /No such file or directory/.test(error.message)) {
          return undefined;
        }
        throw error;
      }
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

function elementsOf({ nftables }: Listing): NftTable['elements'] {
  return new Map(
    nftables.flatMap(({ map }) =>
      map
        ? [[map.name, new Map((map.elem ?? []).map(([key, to]) => [String(key), verdictOf(to)]))]]
        : [],
    ),
  );
}

/** `{"return": null}` to `return`, `{"jump": {"target": "x"}}` to `jump x`. */
function verdictOf(value: unknown): string {
  const [verdict = '', detail] = Object.entries(value as Record<string, unknown>)[0] ?? [];
  const target = (detail as { readonly target?: string } | null)?.target;
  return target === undefined ? verdict : `${verdict} ${target}`;
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
