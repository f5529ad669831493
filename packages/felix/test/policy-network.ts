import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cable, netns, type TestNamespace } from '@overland/linux/testing';
import { expect } from 'vitest';

const SENDER = new URL('send-packets.py', import.meta.url).pathname;

/** Three workloads of the host, two networks outside, and the host itself. */
export const PLACES = [1, 2, 3, 8, 9, 0] as const;
export type Place = (typeof PLACES)[number];

export const WORKLOADS = [1, 2, 3] as const satisfies readonly Place[];
export const OUTSIDE = [8, 9] as const satisfies readonly Place[];
export const HOST = 0 satisfies Place;
/** Where the host has its address. */
const UPLINK = 9;

export const isOutside = (place: Place): boolean => OUTSIDE.some((one) => one === place);

/** Interface of the host that leads to a place. */
export const linkTo = (place: Place): string => `${isOutside(place) ? 'eth' : 'cali'}${place}`;

/** Of the host on the link to a place. */
export const hostAddress = (place: Place, version: 4 | 6): string =>
  version === 4 ? `10.65.${place}.254` : `fd00:65:${place}::fe`;

export function address(place: Place, version: 4 | 6): string {
  if (place === HOST) return hostAddress(UPLINK, version);
  return version === 4 ? `10.65.${place}.1` : `fd00:65:${place}::1`;
}

export interface Sent {
  readonly id: number;
  readonly from: Place;
  readonly to: Place;
  readonly version: 4 | 6;
  readonly protocol: number;
  readonly port: number;
  readonly type: number;
}

/** A namespace of a place: it sends what it is told, and notes what arrives. */
class Host implements AsyncDisposable {
  readonly ns: TestNamespace;
  readonly #sender: ChildProcess;
  readonly #said: AsyncIterableIterator<string>;

  constructor(ns: TestNamespace, ttl: number) {
    this.ns = ns;
    const argv = ['netns', 'exec', ns.name, 'python3', SENDER, String(ttl)];
    this.#sender = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { stdout } = this.#sender;
    if (!stdout) throw new Error('no output');
    this.#said = createInterface(stdout)[Symbol.asyncIterator]();
  }

  async send(packets: readonly Sent[]): Promise<void> {
    const described = packets.map(({ from, to, version, ...packet }) => ({
      ...packet,
      source: address(from, version),
      destination: address(to, version),
    }));
    this.#sender.stdin?.write(`${JSON.stringify(described)}\n`);
    expect((await this.#said.next()).value).toBe('sent');
  }

  /** Identifications of all packets that have arrived so far, of both versions. */
  async arrived(): Promise<Set<number>> {
    const text = await this.ns.exec(['nft', '-j', 'list', 'table', 'inet', 'seen']);
    const { nftables } = JSON.parse(text) as { nftables: { set?: { elem?: number[] } }[] };
    return new Set(nftables.flatMap(({ set }) => set?.elem ?? []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sender.kill();
    await once(this.#sender, 'exit');
    await this.ns[Symbol.asyncDispose]();
  }
}

/** Of what is sent here, and of nothing that the kernels answer with identifications of their own. */
const TTL = 77;
const seen = (hook: string, ttl: number) => `table inet seen {
  set v4 { typeof ip id; size 65535; }
  set v6 { typeof ip6 flowlabel; size 65535; }
  chain in { type filter hook ${hook}; policy accept;
    ip ttl ${ttl} add @v4 { ip id }
    ip6 hoplimit ${ttl} add @v6 { ip6 flowlabel }
  }
}`;

export interface PolicyNetwork extends AsyncDisposable {
  readonly router: TestNamespace;
  host(place: Place): Host;
}

/** A router with a cable to each place; it forwards, and filters as the test tells it. */
export async function policyNetwork(): Promise<PolicyNetwork> {
  const router = await netns();
  const hosts = new Map<Place, Host>();
  for (const place of [...WORKLOADS, ...OUTSIDE]) {
    const ns = await netns();
    const [gateway4, gateway6] = [hostAddress(place, 4), hostAddress(place, 6)];
    await cable(
      {
        namespace: router,
        device: linkTo(place),
        addresses: [`${gateway4}/24`, `${gateway6}/64`],
      },
      {
        namespace: ns,
        device: 'eth0',
        addresses: [`${address(place, 4)}/24`, `${address(place, 6)}/64`],
      },
    );
    await ns.ip('route', 'add', 'default', 'via', gateway4);
    await ns.ip('-6', 'route', 'add', 'default', 'via', gateway6);
    await loadNft(ns, seen('prerouting priority raw', TTL - 1));
    hosts.set(place, new Host(ns, TTL));
  }
  // Nobody forwards what the host sends and gets; it is seen behind its own filter.
  await loadNft(router, seen('input priority 300', TTL));
  hosts.set(HOST, new Host(router, TTL - 1));
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  await router.exec(['sysctl', '-q', '-w', ...forwarding]);
  return {
    router,
    host(place: Place): Host {
      const found = hosts.get(place);
      if (!found) throw new Error(`no place ${place}`);
      return found;
    },
    async [Symbol.asyncDispose]() {
      for (const host of hosts.values()) await host[Symbol.asyncDispose]();
    },
  };
}

/** Runs `nft -f` in a namespace. */
export async function loadNft(ns: TestNamespace, ruleset: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'nft-'));
  const file = join(directory, 'ruleset');
  await writeFile(file, ruleset);
  await ns.exec(['nft', '-f', file]);
  await rm(directory, { recursive: true });
}
