import { execFile } from 'node:child_process';
import type { Family } from '@overland/net';
import {
  type Iptables,
  type IptablesChange,
  IptablesError,
  type IptablesVariant,
} from './iptables.ts';
import { legacySignature, legacyTables } from './legacy-tables.ts';

/** Others hold the lock of iptables-legacy for milliseconds; who holds it longer than this hangs. */
const LOCK_SECONDS = '10';
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT_OCTETS = 64 * 1024 * 1024;

const PROGRAM = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;

/**
 * {@link Iptables} by running `iptables-save` and `iptables-restore`: 5 to 50 ms a call.
 *
 * @param options.namespace Path of a network namespace; absent: that of this process.
 */
export function iptablesCommand(
  variant: IptablesVariant,
  options: { readonly namespace?: string } = {},
): Iptables {
  const { namespace } = options;
  const run = (family: Family, action: 'save' | 'restore', args: readonly string[], input = '') =>
    runProgram(namespace, [`${PROGRAM[family]}-${variant}-${action}`, ...args], input);
  return {
    ...(variant === 'legacy' && { signature: () => legacySignature(namespace) }),

    async read(family, table) {
      // Looking at a table of iptables-legacy makes it, and packets pass it from then on.
      if (variant === 'legacy' && !legacyTables(namespace, family).has(table)) return new Map();
      return parseSave(await run(family, 'save', ['-t', table]));
    },

    async transact(family, table, changes) {
      if (changes.length === 0) return;
      const input = [`*${table}`, ...changes.map(lineOf), 'COMMIT', ''].join('\n');
      await run(family, 'restore', ['--noflush', '-w', LOCK_SECONDS], input);
    },
  };
}

function lineOf(change: IptablesChange): string {
  const { chain } = change;
  switch (change.type) {
    case 'flush-chain':
      return `:${chain} - [0:0]`;
    case 'delete-chain':
      return `-X ${chain}`;
    case 'append-rule':
      return `-A ${chain} ${change.rule}`;
    case 'insert-rule':
      return `-I ${chain} 1 ${change.rule}`;
    case 'delete-rule':
      return `-D ${chain} ${change.rule}`;
  }
}

/** Reads the output of iptables-save for one table. */
function parseSave(text: string): Map<string, string[]> {
  const chains = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, declared] = /^:(\S+) /.exec(line) ?? [];
    if (declared !== undefined) chains.set(declared, []);
    const [, chain, rule] = /^-A (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (chain !== undefined) chains.get(chain)?.push(rule ?? '');
  }
  return chains;
}

function runProgram(
  namespace: string | undefined,
  argv: readonly [string, ...string[]],
  input: string,
): Promise<string> {
  const [program, ...args] =
    namespace === undefined ? argv : (['nsenter', `--net=${namespace}`, ...argv] as const);
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_OCTETS };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) resolve(stdout);
      else {
        const reason = stderr.trim() || error.message;
        reject(new IptablesError(`${argv[0]}: ${reason}`, { cause: error }));
      }
    });
    // A program that ends before it has read everything says why on stderr.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
