import { contains, prefixLength } from '@overland/net';
import type { ListenRange, PeerConfig, SpeakerConfig } from '../core/config.ts';
import { peerKey } from '../core/session/peer-changes.ts';
import { isExternal } from '../core/session/remote-as.ts';
import { placeOf } from '../core/session/unnumbered.ts';
import { bmpFaults } from './bmp/bmp-schema.ts';
import { filterFaults } from './filters-schema.ts';
import { rpkiFaults } from './rpki/rpki-schema.ts';
import { staticFaults } from './static-schema.ts';

/** A peer or the peers of a range, and where the file says so: `peers[0]`. */
interface Entry {
  readonly path: string;
  readonly config: Omit<PeerConfig, 'name' | 'address'>;
}

/** What is wrong between values that are right by themselves. One line per fault, with its path. */
export function clashesIn(config: SpeakerConfig): string[] {
  const { peers, listenRanges = [], filters = [] } = config;
  const entries: readonly Entry[] = [
    ...peers.map((peer, i) => ({ path: `peers[${i}]`, config: peer })),
    ...listenRanges.map(({ peer }, i) => ({ path: `listenRanges[${i}]`, config: peer })),
  ];
  return [
    ...duplicates(peers),
    ...rangeFaults(config),
    ...entries.flatMap((entry) => asnFaults(config, entry)),
    ...entries.flatMap((entry) => misplacedClients(config, entry)),
    ...entries.flatMap(({ path, config: { localAsn, localAsMode } }) =>
      localAsMode !== undefined && localAsn === undefined
        ? [`${path}.localAsMode: must come with localAsn`]
        : [],
    ),
    ...filterFaults(filters, entries),
    ...rpkiFaults(config),
    ...aggregateFaults(config),
    ...bmpFaults(config),
    ...staticFaults(config),
  ];
}

/** An aggregate comes and goes with its contributors: what is always there cannot be one, too. */
function aggregateFaults({ aggregates = [], originate }: SpeakerConfig): string[] {
  return aggregates.flatMap(({ prefix }, i) => {
    const path = `aggregates[${i}].prefix`;
    const first = aggregates.findIndex((other) => other.prefix === prefix);
    if (first < i) return [`${path}: ${prefix} is the prefix of aggregates[${first}]`];
    return originate.includes(prefix) ? [`${path}: ${prefix} is in originate, too`] : [];
  });
}

function duplicates(peers: readonly PeerConfig[]): string[] {
  const faults: string[] = [];
  const [names, ends] = [new Map<string, number>(), new Map<string, number>()];
  for (const [index, peer] of peers.entries()) {
    const end = peerKey(peer);
    const sameEnd = ends.get(end);
    const sameName = names.get(peer.name);
    if (sameEnd !== undefined) {
      const field = peer.unnumbered ? 'interface' : 'address';
      faults.push(
        `peers[${index}].${field}: ${placeOf(peer)} is the ${field} of peers[${sameEnd}]`,
      );
    } else if (sameName !== undefined) {
      faults.push(`peers[${index}].name: "${peer.name}" is the name of peers[${sameName}]`);
    }
    ends.set(end, index);
    names.set(peer.name, index);
  }
  return faults;
}

function rangeFaults({ listen, peers, listenRanges = [] }: SpeakerConfig): string[] {
  const faults = listenRanges.flatMap(({ prefix, peer }, i) => {
    const path = `listenRanges[${i}]`;
    const first = listenRanges.findIndex((other) => other.prefix === prefix);
    return [
      ...(first < i ? [`${path}.prefix: ${prefix} is the prefix of listenRanges[${first}]`] : []),
      // BFD begins with the first connection, which strict BFD would not let in.
      ...(peer.bfd?.strict ? [`${path}.bfd.strict: not in a range`] : []),
    ];
  });
  if (listenRanges.length > 0 && listen.length === 0) {
    faults.push('listenRanges: nothing listens');
  }
  const inRanges = [
    ...peers.map(({ address: at, password }, i) => ({ path: `peers[${i}]`, at, password })),
    ...listenRanges.map(({ prefix: at, peer: { password } }, i) => {
      return { path: `listenRanges[${i}]`, at, password };
    }),
  ];
  for (const { path, at, password } of inRanges) {
    const wider = password ? -1 : listenRanges.findIndex((range) => signsFor(range, at));
    if (wider < 0) continue;
    faults.push(`${path}.password: missing: listenRanges[${wider}], which holds it, has one`);
  }
  return faults;
}

/** Whether the kernel, which goes by addresses alone, would want the range's key of this peer, too. */
function signsFor(
  { prefix, peer }: ListenRange,
  at: PeerConfig['address'] | ListenRange['prefix'],
): boolean {
  if (!peer.password || !contains(prefix, at)) return false;
  return !at.includes('/') || prefixLength(prefix) < Number(at.split('/')[1]);
}

/** Of several numbers none may be ours: whether a peer is of our AS decides too much that an OPEN comes too late for. */
function asnFaults({ asn }: SpeakerConfig, { path, config }: Entry): string[] {
  const own = config.localAsn ?? asn;
  const isOne = typeof config.asn !== 'object';
  return isOne || !config.asn.includes(own) ? [] : [`${path}.asn: ${own} is ours: not in a list`];
}

/** Clients that nothing would be reflected to: RFC 4456 is about iBGP, and a host reflects nothing. */
function misplacedClients({ asn, role }: SpeakerConfig, { path, config }: Entry): string[] {
  if (!config.routeReflectorClient) return [];
  const field = `${path}.routeReflectorClient`;
  if (isExternal(config.asn, config.localAsn ?? asn)) {
    return [`${field}: only an iBGP peer can be a client`];
  }
  return role === 'host' ? [`${field}: role host reflects nothing`] : [];
}
