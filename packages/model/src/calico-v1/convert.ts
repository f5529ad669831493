import type { z } from 'zod';
import { isJsonObject } from '../json.ts';
import type { AnyResource } from '../kinds.ts';
import { parseManifest } from '../manifest.ts';
import { nearestName } from '../nearest-name.ts';
import { subjectOf } from '../read-resource.ts';
import { API_VERSION } from '../resource.ts';
import { parseWith, unknownFields, withoutNulls } from '../schema.ts';
import { describeFault, type Fault, ValidationError } from '../validation.ts';
import { convertRules } from './convert-rule.ts';
import {
  addressName,
  nodeName,
  policyName,
  profileName,
  resourceName,
  type ShortHash,
} from './names.ts';
import { CALICO_V1_KINDS, type CalicoV1, type CalicoV1Kind } from './schema.ts';

/** The `apiVersion` of Calico's manifests before v3; Kubernetes' own kinds have the same. */
export const CALICO_V1_VERSION = 'v1';

/** A manifest of v3, without defaults. */
export type ConvertedManifest = Readonly<Record<string, unknown>>;

type Converter<K extends CalicoV1Kind> = (
  object: CalicoV1<K>,
  shortHash: ShortHash,
) => Pick<AnyResource, 'kind'> & { readonly metadata: object; readonly spec: object };

const CONVERTERS: { readonly [K in CalicoV1Kind]: Converter<K> } = {
  bgpPeer: ({ metadata: { scope, node = '', peerIP }, spec }) => {
    const name = addressName(peerIP);
    if (scope === 'global') return made('BGPPeer', { name }, { peerIP, ...spec });
    const v3 = nodeName(node);
    return made('BGPPeer', { name: `${v3}.${name}` }, { node: v3, peerIP, ...spec });
  },

  hostEndpoint: ({ metadata: { name, node, labels }, spec: { profiles, ...spec } }, shortHash) => {
    const v3 = nodeName(node);
    return made(
      'HostEndpoint',
      { name: resourceName(`${v3}.${name}`, shortHash), labels },
      { node: v3, ...spec, profiles: profiles?.map((each) => profileName(each, shortHash)) },
    );
  },

  ipPool: ({ metadata: { cidr }, spec: { ipip, 'nat-outgoing': natOutgoing, disabled } }) => {
    const isCrossSubnet = ipip?.mode?.toLowerCase() === 'cross-subnet';
    const encapsulation = isCrossSubnet ? 'CrossSubnet' : 'Always';
    return made(
      'IPPool',
      { name: cidr.replaceAll(/[.:/]/g, '-') },
      { cidr, natOutgoing, disabled, ...(ipip?.enabled && { ipipMode: encapsulation }) },
    );
  },

  node: ({ metadata: { name }, spec }) => made('Node', { name: nodeName(name) }, spec),

  policy: ({ metadata: { name, annotations }, spec }, shortHash) => {
    const { ingress, egress, types, ...rest } = spec;
    return made(
      'GlobalNetworkPolicy',
      { name: policyName(name, shortHash), annotations },
      {
        ...rest,
        applyOnForward: rest.doNotTrack || rest.preDNAT || undefined,
        types,
        ingress: convertRules(ingress),
        egress: convertRules(egress),
      },
    );
  },

  profile: ({ metadata: { name, labels, tags }, spec }, shortHash) =>
    made(
      'Profile',
      { name: profileName(name, shortHash) },
      {
        labelsToApply: labels || tags ? { ...withoutValues(tags), ...labels } : undefined,
        ingress: convertRules(spec.ingress),
        egress: convertRules(spec.egress),
      },
    ),

  workloadEndpoint: ({ metadata, spec: { profiles, ...spec } }, shortHash) => {
    const { name, workload, orchestrator, node, activeInstanceID, labels = {} } = metadata;
    const { 'calico/k8s_ns': labelled, ...others } = labels;
    const { namespace = 'default', ...identity } = workloadIdentity(metadata, shortHash);
    return made(
      'WorkloadEndpoint',
      {
        namespace,
        labels: {
          ...others,
          ...(labelled !== undefined && { 'projectcalico.org/namespace': labelled }),
        },
      },
      {
        orchestrator: resourceName(orchestrator, shortHash),
        node: nodeName(node),
        endpoint: resourceName(name, shortHash),
        ...identity,
        ...(orchestrator === 'k8s' && { containerID: activeInstanceID }),
        ...(orchestrator === 'cni' && { containerID: workload }),
        ...spec,
        profiles: profiles?.map((each) => profileName(each, shortHash)),
      },
    );
  },
};

/**
 * Converts a manifest of Calico v1 as calicoctl's `convert` did: names that v3 does not allow are changed in the
 * same way, tags become labels, `policy` becomes GlobalNetworkPolicy.
 *
 * @throws {ValidationError} With everything that is wrong, in the manifest or in what would come of it.
 */
export function convertCalicoV1(value: unknown, shortHash: ShortHash): ConvertedManifest {
  const kind = kindOf(value);
  const schema = CALICO_V1_KINDS[kind] as unknown as z.ZodType<CalicoV1<CalicoV1Kind>>;
  const result = parseWith(schema, withoutNulls(schema, value));
  const faults = [
    ...unknownFields(schema, value),
    ...('faults' in result ? result.faults : faultsBetween(result.parsed)),
  ];
  if ('faults' in result || faults.length > 0)
    throw new ValidationError(subjectOf(value, kind), faults);
  const convert = CONVERTERS[kind] as Converter<CalicoV1Kind>;
  const { kind: v3, metadata, spec } = convert(result.parsed, shortHash);
  const manifest = {
    apiVersion: API_VERSION,
    kind: v3,
    metadata: defined(metadata),
    spec: defined(spec),
  };
  try {
    // The name of a workload endpoint follows from the rest.
    const { name } = parseManifest(manifest).metadata;
    return { ...manifest, metadata: { name, ...manifest.metadata } };
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    const rule = `cannot become ${error.subject}: ${error.faults.map(describeFault).join('; ')}`;
    throw new ValidationError(subjectOf(value, kind), [{ path: '', value: undefined, rule }]);
  }
}

function kindOf(value: unknown): CalicoV1Kind {
  const kind = isJsonObject(value) ? value.kind : undefined;
  if (typeof kind === 'string' && Object.hasOwn(CALICO_V1_KINDS, kind)) return kind as CalicoV1Kind;
  const known = Object.keys(CALICO_V1_KINDS);
  const near = typeof kind === 'string' ? nearestName(kind, known) : undefined;
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  const rule = `must be a kind of Calico v1 that can be converted (${known.join(', ')})${hint}`;
  throw new ValidationError(subjectOf(value), [{ path: 'kind', value: kind, rule }]);
}

/** Rules between fields that would otherwise be lost in conversion. */
function faultsBetween(object: CalicoV1<CalicoV1Kind>): Fault[] {
  if (object.kind === 'bgpPeer') {
    const { scope, node } = object.metadata;
    if (scope === 'global' && node !== undefined) {
      return [{ path: 'metadata.node', value: node, rule: 'must not be set with scope global' }];
    }
    if (scope === 'node' && node === undefined) {
      return [{ path: 'metadata.node', value: undefined, rule: 'is required with scope node' }];
    }
  }
  if (object.kind === 'profile') {
    const { tags = [], labels = {} } = object.metadata;
    return tags.flatMap((tag, i) =>
      Object.hasOwn(labels, tag)
        ? [
            {
              path: `metadata.tags[${i}]`,
              value: tag,
              rule: 'becomes a label, and there is one of that name: rename one of them',
            },
          ]
        : [],
    );
  }
  if (object.kind === 'workloadEndpoint') {
    const { orchestrator, workload } = object.metadata;
    if (orchestrator === 'k8s' && !/^[^.]+\../.test(workload)) {
      const rule = 'must be NAMESPACE.POD with orchestrator k8s';
      return [{ path: 'metadata.workload', value: workload, rule }];
    }
  }
  return [];
}

function workloadIdentity(
  { orchestrator, workload }: CalicoV1<'workloadEndpoint'>['metadata'],
  shortHash: ShortHash,
): { readonly namespace?: string; readonly pod?: string; readonly workload?: string } {
  switch (orchestrator) {
    case 'k8s': {
      const at = workload.indexOf('.');
      return { namespace: workload.slice(0, at), pod: workload.slice(at + 1) };
    }
    case 'cni':
      return {};
    case 'libnetwork':
      return { workload: 'libnetwork' };
    default:
      return { workload: resourceName(workload, shortHash) };
  }
}

function withoutValues(tags: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(tags.map((tag) => [tag, '']));
}

function made<K extends AnyResource['kind']>(kind: K, metadata: object, spec: object) {
  return { kind, metadata, spec };
}

function defined(object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
