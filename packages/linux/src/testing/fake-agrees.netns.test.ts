import { isLinkLocal, parseAddress, parseInterfaceAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openKernel } from '../kernel/open-kernel.ts';
import { nextHopGroup } from '../next-hop-group.ts';
import { type Kernel, KernelError, type NextHopObject, PROTOCOL, type Route } from '../ports.ts';
import { fakeKernel } from './fake-kernel.ts';
import {
  connect,
  group,
  type KernelPair,
  ourNextHops,
  ourRoutes,
  path,
  route,
  viaGateway,
  viaObject,
} from './kernel-pair.ts';
import { netns } from './netns.ts';

/** One step, with the words that a failing run is told in. */
interface Step {
  readonly name: string;
  readonly run: (pair: KernelPair) => Promise<unknown>;
}

const link = fc.constantFrom(1, 2);
const up = fc.boolean();
const family = fc.constantFrom('ipv4', 'ipv6') as fc.Arbitrary<'ipv4' | 'ipv6'>;

const setLink = fc.tuple(link, up, fc.boolean()).map(
  ([n, isUp, isPeer]): Step => ({
    name: `${isPeer ? 'peer' : 'link'} ${n} ${isUp ? 'up' : 'down'}`,
    run: (pair) => (isPeer ? pair.peer : pair.kernel).links.set(`eth${n}`, { up: isUp }),
  }),
);

const removeLink = link.map(
  (n): Step => ({
    name: `remove link ${n}`,
    run: (pair) => pair.kernel.links.remove(`eth${n}`),
  }),
);

/** On one link only: two connected routes of one subnet are not modelled. */
const addresses = fc.tuple(
  fc.constant(1),
  fc.constantFrom('10.0.1.0/31', 'fd00:1::/127', '10.9.0.1/24', '10.9.0.2/32', 'fd09::1/64'),
  fc.boolean(),
);
const changeAddress = addresses.map(([n, text, isAdded]): Step => {
  const address = parseInterfaceAddress(text);
  return {
    name: `${isAdded ? 'add' : 'remove'} ${text} on ${n}`,
    run: ({ kernel: { links } }) =>
      isAdded
        ? links.addAddress(`eth${n}`, address, { probe: false })
        : links.removeAddress(`eth${n}`, address),
  };
});

/** Ids 1 to 4 are paths and 10 to 12 groups, so that nothing changes its nature: that has a test of its own. */
const pathObject = fc.tuple(link, family).map(([n, f]) => path(f === 'ipv4' ? n : n + 2, n, f));
const groupObject = fc
  .tuple(
    fc.constantFrom(10, 11),
    fc.uniqueArray(fc.constantFrom(1, 2), { minLength: 1 }),
    fc.constantFrom(1, 2, 255),
  )
  .map(([id, members, weight]) => ({
    ...group(id, ...members),
    content: nextHopGroup(
      members.map((member, i) => ({ id: member, weight: i === 0 ? weight : 1 })),
    ),
  }));
const group6Object = fc
  .uniqueArray(fc.constantFrom(3, 4), { minLength: 1 })
  .map((members) => group(12, ...members));
const replaceObjects = fc
  .array(fc.oneof(pathObject, groupObject, group6Object), { minLength: 1, maxLength: 4 })
  .map(
    (objects: NextHopObject[]): Step => ({
      name: `objects ${objects.map(({ id, content }) => `${id} ${JSON.stringify(content)}`).join(', ')}`,
      run: ({ kernel }) => kernel.nextHopObjects.replace(objects),
    }),
  );
const removeObject = fc.constantFrom(1, 2, 3, 4, 10, 11, 12).map(
  (id): Step => ({
    name: `remove object ${id}`,
    run: ({ kernel }) => kernel.nextHopObjects.remove([id]),
  }),
);

const destination = fc.constantFrom('10.65.0.0/26', '10.66.0.0/26', 'fd65::/122', 'fd66::/122');
const someRoute = fc
  .tuple(destination, link, fc.constantFrom(1, 3, 10, 12), fc.nat(3))
  .map(([to, n, id, kind]) => {
    const isIpv4 = !to.includes(':');
    if (kind === 0) return route(to, { type: 'blackhole' });
    if (kind === 1) return route(to, { type: 'device', device: `eth${n}` });
    if (kind === 2) return viaGateway(to, isIpv4 ? `10.0.${n}.1` : `fd00:${n}::1`, `eth${n}`);
    return viaObject(to, id);
  });
const withSource = someRoute.map((wanted): Route => {
  const source = wanted.destination.includes(':') ? 'fd09::1' : '10.9.0.2';
  return { ...wanted, source: parseAddress(source) };
});
const replaceRoutes = fc
  .array(fc.oneof({ weight: 4, arbitrary: someRoute }, withSource), { minLength: 1, maxLength: 4 })
  .map(
    (routes): Step => ({
      name: `routes ${routes.map((wanted) => `${wanted.destination} ${JSON.stringify(wanted.target)} ${wanted.source ?? ''}`).join(', ')}`,
      run: ({ kernel }) => kernel.routes.replace(routes),
    }),
  );
const removeRoute = destination.map(
  (to): Step => ({
    name: `remove ${to}`,
    run: ({ kernel }) => kernel.routes.remove([route(to, { type: 'blackhole' })]),
  }),
);

const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: setLink },
    { weight: 1, arbitrary: removeLink },
    { weight: 2, arbitrary: changeAddress },
    { weight: 4, arbitrary: replaceObjects },
    { weight: 1, arbitrary: removeObject },
    { weight: 5, arbitrary: replaceRoutes },
    { weight: 1, arbitrary: removeRoute },
  ),
  { minLength: 5, maxLength: 25 },
);

/** What a step answers, as codes. */
async function answerOf(work: Promise<unknown>): Promise<unknown> {
  try {
    const result = await work;
    return Array.isArray(result) ? result.map((error?: KernelError) => error?.code) : 'done';
  } catch (error) {
    if (error instanceof KernelError) return error.code;
    throw error;
  }
}

async function stateOf(kernel: Kernel): Promise<unknown> {
  const links = (await kernel.links.list()).filter(({ name }) => name !== 'lo');
  const routes = [...(await kernel.routes.list('ipv4')), ...(await kernel.routes.list('ipv6'))];
  const addressesOf = async (name: string) =>
    (await kernel.links.addresses(name))
      .filter(({ address }) => !(address.includes(':') && isLinkLocal(address)))
      .map(({ address, length }) => `${address}/${length}`)
      .toSorted();
  return {
    links: links.map(({ name, up: isUp, carrier }) => `${name} ${isUp} ${carrier}`).toSorted(),
    addresses: await Promise.all(links.map(async ({ name }) => [name, await addressesOf(name)])),
    routes: (await ourRoutes(kernel)).toSorted(),
    connected: routes
      .filter((found) => found.protocol !== PROTOCOL.bgp && !found.destination.startsWith('fe80'))
      .map(({ destination: to, source }) => `${to} ${source}`)
      .toSorted(),
    nextHops: (await ourNextHops(kernel)).toSorted(),
  };
}

test('the fake and the kernel go the same way, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (todo) => {
      await using near = await netns();
      await using far = await netns();
      await using kernel = openKernel({ namespace: near.path });
      await using peer = openKernel({ namespace: far.path });
      const real = { kernel, other: kernel, peer, peerNamespace: far.path };
      const fake = fakeKernel();
      const fakePeer = fake.addNamespace('/run/netns/peer');
      const pairs = [
        real,
        { kernel: fake, other: fake, peer: fakePeer, peerNamespace: '/run/netns/peer' },
      ];
      for (const pair of pairs as KernelPair[]) {
        await connect(pair, 1);
        await connect(pair, 2);
      }
      const told: string[] = [];
      for (const { name, run } of todo) {
        const [theirs, ours] = await Promise.all(
          (pairs as KernelPair[]).map((pair) => answerOf(run(pair))),
        );
        told.push(`${name}: ${JSON.stringify(theirs)}`);
        expect([...told, ours]).toEqual([...told, theirs]);
        const expected = await stateOf(fake);
        await expect
          .poll(async () => [...told, await stateOf(kernel)], { timeout: 3_000 })
          .toEqual([...told, expected]);
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);
