import type { SpeakerConfig } from '@overland/bgp';
import type { BgpConfiguration } from '@overland/model';
import { comparePrefixes, type Prefix } from '@overland/net';
import type { ClusterSettings, Speaker } from './cluster.ts';
import type { Report } from './diagnostics.ts';
import { seconds } from './session-settings.ts';

const MAX_PATHS = 64;
/** FRR's `stalepath-time`. */
const STALE_PATH_SECONDS = 360;
const DEFERRAL_SECONDS = 60;

type Spec = Partial<BgpConfiguration['spec']>;
/** Fields that the object of a node says for itself, one by one. */
type OwnField =
  | 'role'
  | 'clientToClientReflection'
  | 'multipath'
  | 'gracefulRestart'
  | 'aggregates'
  | 'rpki'
  | 'bmpStations'
  | 'mrtUpdates';

/** What the BGPConfigurations say of a node beyond Calico's fields: its own object's word, else that of the default one. */
export type SpeakerSpec = Pick<Spec, OwnField>;

export const OWN_FIELDS: readonly OwnField[] = [
  'role',
  'clientToClientReflection',
  'multipath',
  'gracefulRestart',
  'aggregates',
  'rpki',
  'bmpStations',
  'mrtUpdates',
];

export function speakerSpec(settings: ClusterSettings, nodeName: string): SpeakerSpec {
  const own = settings.ofNode(nodeName);
  const chosen = OWN_FIELDS.map((field) => [field, own[field] ?? settings.cluster[field]] as const);
  return Object.fromEntries(chosen.filter(([, value]) => value !== undefined));
}

type Settings = Pick<
  SpeakerConfig,
  | 'role'
  | 'clusterId'
  | 'clientToClient'
  | 'multipath'
  | 'gracefulRestart'
  | 'rpki'
  | 'bmp'
  | 'mrtUpdates'
>;

/** The part of the configuration that neither peers nor prefixes decide. */
export function speakerSettings(
  spec: SpeakerSpec,
  { clusterId }: Speaker,
  restartSeconds: number,
): Settings {
  const { role, clientToClientReflection, multipath, rpki, bmpStations, mrtUpdates } = spec;
  return {
    role: clusterId ? 'reflector' : role === 'Router' ? 'router' : 'host',
    ...(clusterId && { clusterId }),
    ...(clusterId && clientToClientReflection === 'Disabled' && { clientToClient: false }),
    multipath: {
      maxPaths: multipath?.maxPaths ?? MAX_PATHS,
      relaxAsPath: multipath?.relaxASPath ?? true,
      ...(multipath?.linkBandwidth && { linkBandwidth: true }),
    },
    gracefulRestart: gracefulRestartOf(spec, restartSeconds),
    ...(rpki && { rpki: rpkiOf(rpki) }),
    ...(bmpStations && bmpStations.length > 0 && { bmp: bmpStations.map(stationOf) }),
    ...(mrtUpdates && { mrtUpdates: mrtUpdatesOf(mrtUpdates) }),
  };
}

function gracefulRestartOf(
  { gracefulRestart: given }: SpeakerSpec,
  restartSeconds: number,
): SpeakerConfig['gracefulRestart'] {
  const longLived = seconds(given?.longLivedStaleTime);
  return {
    enabled: true,
    restartSeconds,
    ...(given?.notification && { notification: true }),
    stalePathSeconds: seconds(given?.stalePathTime) ?? STALE_PATH_SECONDS,
    deferralSeconds: seconds(given?.deferralTime) ?? DEFERRAL_SECONDS,
    ...(longLived !== undefined && { longLivedStaleSeconds: longLived }),
  };
}

function rpkiOf(spec: NonNullable<SpeakerSpec['rpki']>): NonNullable<SpeakerConfig['rpki']> {
  const [refresh, retry, expire] = [
    seconds(spec.refreshInterval),
    seconds(spec.retryInterval),
    seconds(spec.expireInterval),
  ];
  return {
    caches: spec.caches.map(({ address, port, sourceAddress }) => ({
      address,
      port,
      ...(sourceAddress && { localAddress: sourceAddress }),
    })),
    ...(refresh !== undefined && { refreshSeconds: refresh }),
    ...(retry !== undefined && { retrySeconds: retry }),
    ...(expire !== undefined && { expireSeconds: expire }),
  };
}

const RIBS = {
  PrePolicy: 'pre-policy',
  PostPolicy: 'post-policy',
  LocRIB: 'loc-rib',
  OutPrePolicy: 'out-pre-policy',
  OutPostPolicy: 'out-post-policy',
} as const;

function stationOf(
  station: NonNullable<SpeakerSpec['bmpStations']>[number],
): NonNullable<SpeakerConfig['bmp']>[number] {
  const { address, port, sourceAddress, ribs, statisticsInterval } = station;
  return {
    address,
    port,
    ...(sourceAddress && { localAddress: sourceAddress }),
    ribs: ribs.map((rib) => RIBS[rib]),
    statisticsSeconds: seconds(statisticsInterval) ?? 0,
  };
}

function mrtUpdatesOf({
  file,
  maxMegabytes,
  files,
}: NonNullable<SpeakerSpec['mrtUpdates']>): NonNullable<SpeakerConfig['mrtUpdates']> {
  return { file, maxOctets: maxMegabytes * 1_000_000, files };
}

/** Aggregates, but for what the node offers anyway: that is always there, and an aggregate comes and goes. */
export function aggregatesOf(
  { aggregates = [] }: SpeakerSpec,
  originate: readonly Prefix[],
  report: Report,
): Pick<SpeakerConfig, 'aggregates'> {
  const made = aggregates.filter(({ cidr }) => {
    const isOwn = originate.includes(cidr);
    if (isOwn) report(`aggregate ${cidr}`, 'the node offers that very prefix of its own');
    return !isOwn;
  });
  if (made.length === 0) return {};
  return {
    aggregates: made
      .toSorted((a, b) => comparePrefixes(a.cidr, b.cidr))
      .map(({ cidr, summaryOnly, communities = [] }) => ({
        prefix: cidr,
        summaryOnly,
        ...(communities.length > 0 && { communities }),
      })),
  };
}
