import { cable, netns, type TestNamespace } from '@overland/linux/testing';

/** A host with one container behind it. */
export interface Host {
  readonly host: TestNamespace;
  readonly container: TestNamespace;
}

/** Two hosts on a router, each with a container that has nothing yet but a namespace. */
export interface Fabric extends AsyncDisposable {
  readonly left: Host;
  readonly right: Host;
  readonly router: TestNamespace;
}

/** A way that packets take between the containers. */
export interface Way {
  readonly name: string;
  /** What carries it, in a few words. */
  readonly what: string;
  build(fabric: Fabric): Promise<void>;
  /** Where the container of the right host is reached from that of the left. */
  readonly target: string;
}

/** Addresses of hosts' uplinks. */
export const UPLINK = { left: '192.0.2.0', right: '192.0.2.2' } as const;
const ROUTER = { left: '192.0.2.1', right: '192.0.2.3' } as const;
const SYSCTLS = ['net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0'] as const;

export async function fabric(): Promise<Fabric> {
  const stack = new AsyncDisposableStack();
  const router = stack.use(await netns());
  await router.exec(['sysctl', '-qw', ...SYSCTLS]);
  const side = async (name: 'left' | 'right'): Promise<Host> => {
    const host = stack.use(await netns());
    const container = stack.use(await netns());
    await host.exec(['sysctl', '-qw', ...SYSCTLS]);
    await cable(
      { namespace: router, device: name, addresses: [`${ROUTER[name]}/31`] },
      { namespace: host, device: 'up', addresses: [`${UPLINK[name]}/31`] },
    );
    await host.ip('route', 'add', 'default', 'via', ROUTER[name]);
    return { host, container };
  };
  const [left, right] = [await side('left'), await side('right')];
  return { left, right, router, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Loads rules of nft. */
export async function load({ exec }: TestNamespace, rules: readonly string[]): Promise<void> {
  await exec(['nft', rules.join('\n')]);
}
