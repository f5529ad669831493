import { formatInterfaceAddress, type InterfaceAddress } from '@overland/net';
import { KernelError, type Link, type Links, type VethSpec } from '../ports.ts';
import {
  addConnectedRoutes,
  dropNextHopsOfDevice,
  dropPathsOfDevice,
  dropRoutesOfAddress,
} from './fake-forwarding.ts';
import { type FakeLink, type FakeNamespace, hasCarrier, viewOf } from './fake-namespace.ts';

const LONGEST_NAME = 15; // IFNAMSIZ less the NUL

export function fakeLinks(namespace: FakeNamespace): Links {
  return {
    list: async () => [...namespace.links.values()].map(viewOf),

    async get(name) {
      const link = namespace.links.get(name);
      return link && viewOf(link);
    },

    createVeth: async (spec) => createVeth(namespace, spec),

    async createIfb(name) {
      namespace.begin(`create ifb ${name}`);
      if (namespace.links.has(name)) return;
      const made = newLink(
        namespace,
        { name },
        { kind: 'ifb', mtu: 1500, index: namespace.nextIndex() },
      );
      namespace.emitLink(made);
    },

    async set(name, change) {
      const operation = `change link ${name}`;
      namespace.begin(operation);
      const link = namespace.link(name, operation);
      if (change.mtu !== undefined && (change.mtu < 68 || change.mtu > 65_535)) {
        throw new KernelError('EINVAL', operation);
      }
      link.mtu = change.mtu ?? link.mtu;
      link.mac = change.mac ?? link.mac;
      if (change.up === undefined || change.up === link.up) namespace.emitLink(link);
      else setUp(namespace, link, change.up);
    },

    async remove(name) {
      const operation = `remove link ${name}`;
      namespace.begin(operation);
      if (name === 'lo') throw new KernelError('EOPNOTSUPP', operation);
      const link = namespace.links.get(name);
      if (link !== undefined) removePair(namespace, link);
    },

    addresses: async (name) => [...namespace.link(name, `list addresses of ${name}`).addresses],

    async addAddress(name, address) {
      const operation = `add ${formatInterfaceAddress(address)} to ${name}`;
      namespace.begin(operation);
      addAddress(namespace, namespace.link(name, operation), address);
    },

    async removeAddress(name, address) {
      namespace.begin(`remove ${formatInterfaceAddress(address)} from ${name}`);
      const link = namespace.links.get(name);
      if (link !== undefined) removeAddress(namespace, link, address);
    },
  };
}

/** As the caller of a kernel's calls names its own. */
const OWN_NAMESPACE = '/proc/self/ns/net';

function createVeth(namespace: FakeNamespace, spec: VethSpec): Link {
  const { name, mtu, peer } = spec;
  const operation = `create veth ${name} with ${peer.name} in ${peer.namespace}`;
  namespace.begin(operation);
  const isOwn = peer.namespace === OWN_NAMESPACE;
  const other = isOwn ? namespace : namespace.machine.get(peer.namespace);
  if (other === undefined) throw new KernelError('ENOENT', operation);
  if (name.length > LONGEST_NAME || peer.name.length > LONGEST_NAME) {
    throw new KernelError('ERANGE', operation);
  }
  if (namespace.links.has(name) || other.links.has(peer.name)) {
    throw new KernelError('EEXIST', operation);
  }
  const near = newLink(namespace, spec, { kind: 'veth', mtu, index: namespace.nextIndex() });
  const far = newLink(other, peer, { kind: 'veth', mtu, index: other.nextIndex(near.index) });
  near.peer = { namespace: other, link: far };
  far.peer = { namespace, link: near };
  namespace.emitLink(near);
  other.emitLink(far);
  return viewOf(near);
}

function newLink(
  namespace: FakeNamespace,
  { name, mac }: Pick<VethSpec, 'name' | 'mac'>,
  { kind, mtu, index }: Pick<FakeLink, 'kind' | 'mtu' | 'index'>,
): FakeLink {
  const link: FakeLink = {
    index,
    name,
    kind,
    mac: mac ?? `02:00:00:00:00:${(index & 0xff).toString(16).padStart(2, '0')}`,
    mtu,
    up: false,
    addresses: [],
    peer: undefined,
  };
  namespace.links.set(name, link);
  return link;
}

function setUp(namespace: FakeNamespace, link: FakeLink, up: boolean): void {
  link.up = up;
  namespace.emitLink(link);
  if (up) {
    addConnectedRoutes(namespace, link);
  } else {
    dropPathsOfDevice(namespace, link.name);
    dropNeighbours(namespace, link.name);
    dropIpv6Addresses(namespace, link);
  }
  tellPeer(link);
}

/** The other end gains or loses its carrier. */
function tellPeer({ peer }: FakeLink): void {
  if (peer === undefined || !peer.link.up) return;
  peer.namespace.emitLink(peer.link);
  if (!hasCarrier(peer.link)) dropNextHopsOfDevice(peer.namespace, peer.link.name);
}

function dropNeighbours(namespace: FakeNamespace, device: string): void {
  for (const [key, neighbour] of namespace.neighbours) {
    if (neighbour.device === device) namespace.neighbours.delete(key);
  }
}

/** IPv6 loses its addresses when a link goes down; IPv4 keeps them. */
function dropIpv6Addresses(namespace: FakeNamespace, link: FakeLink): void {
  for (const address of link.addresses) {
    if (!address.address.includes(':')) continue;
    link.addresses = link.addresses.filter((other) => other !== address);
    namespace.emit({ type: 'address', device: link.name, address, removed: true });
  }
}

/** Removes both ends of a pair, as removing either does. */
export function removePair(namespace: FakeNamespace, link: FakeLink): void {
  const { peer } = link;
  remove(namespace, link);
  if (peer !== undefined) remove(peer.namespace, peer.link);
}

function remove(namespace: FakeNamespace, link: FakeLink): void {
  const { name, index, up } = link;
  link.up = false;
  if (up) namespace.emitLink(link);
  dropPathsOfDevice(namespace, name);
  dropNeighbours(namespace, name);
  for (const [key, proxy] of namespace.proxies) {
    if (proxy.device === name) namespace.proxies.delete(key);
  }
  for (const address of link.addresses) {
    namespace.emit({ type: 'address', device: name, address, removed: true });
  }
  namespace.links.delete(name);
  namespace.emit({ type: 'link-removed', index, name });
}

function addAddress(namespace: FakeNamespace, link: FakeLink, address: InterfaceAddress): void {
  const isNew = !link.addresses.some((own) => isSameAddress(own, address));
  if (isNew) link.addresses.push(address);
  namespace.emit({ type: 'address', device: link.name, address, removed: false });
  if (isNew) addConnectedRoutes(namespace, link);
}

function removeAddress(namespace: FakeNamespace, link: FakeLink, address: InterfaceAddress): void {
  const left = link.addresses.filter((own) => !isSameAddress(own, address));
  if (left.length === link.addresses.length) return;
  link.addresses = left;
  namespace.emit({ type: 'address', device: link.name, address, removed: true });
  dropRoutesOfAddress(namespace, link, address);
}

function isSameAddress(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.address === b.address && a.length === b.length;
}
