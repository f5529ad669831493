import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { parseInterfaceAddress } from '@overland/net';
import { openKernel } from '../kernel/open-kernel.ts';
import { createNamespace, deleteNamespace } from '../namespaces.ts';

const run = promisify(execFile);
/** Routing tables are long. */
const maxBuffer = 256 << 20;

/** A network namespace for one test. */
export interface TestNamespace extends AsyncDisposable {
  /** As `ip netns` knows it. */
  readonly name: string;
  /** `/run/netns/…`, for {@link openKernel}. */
  readonly path: string;
  /** Runs `ip ARGS` inside. @returns Its standard output. */
  ip(...args: readonly string[]): Promise<string>;
  /** Runs a program inside. @returns Its standard output. @throws If it fails; the error has `stderr`. */
  exec(argv: readonly [string, ...string[]]): Promise<string>;
}

/**
 * A fresh network namespace with loopback up, gone when it leaves scope: `await using ns = await netns();`.
 * Names are unique, so tests can run at the same time. Needs root: run under `scripts/isolated`.
 */
export async function netns(): Promise<TestNamespace> {
  const name = `test-${randomBytes(5).toString('hex')}`;
  const path = createNamespace(name);
  await using kernel = openKernel({ namespace: path });
  await kernel.links.set('lo', { up: true });
  return {
    name,
    path,
    ip: async (...args) => (await run('ip', ['-n', name, ...args], { maxBuffer })).stdout,
    exec: async (argv) => (await run('ip', ['netns', 'exec', name, ...argv], { maxBuffer })).stdout,
    async [Symbol.asyncDispose]() {
      deleteNamespace(name);
    },
  };
}

/** One end of a cable: an interface name in a namespace, with addresses such as `10.0.0.0/31`. */
export interface CableEnd {
  readonly namespace: TestNamespace;
  readonly device: string;
  readonly addresses?: readonly string[];
}

/** Connects two namespaces (or two interfaces of one) by a veth pair, both ends up and addressed without DAD. */
export async function cable(left: CableEnd, right: CableEnd): Promise<void> {
  await using kernel = openKernel({ namespace: left.namespace.path });
  await kernel.links.createVeth({
    name: left.device,
    mtu: 1500,
    peer: { name: right.device, namespace: right.namespace.path },
  });
  for (const end of [left, right]) {
    await using side = openKernel({ namespace: end.namespace.path });
    await side.links.set(end.device, { up: true });
    for (const address of end.addresses ?? []) {
      await side.links.addAddress(end.device, parseInterfaceAddress(address), { probe: false });
    }
  }
}
