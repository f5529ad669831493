import type { Datastore, Operation } from '@overland/datastore';
import { type AnyResource, resourceKey, stringifyJson, toStoredForm } from '@overland/model';
import { NODE } from './policy-host.ts';

/** What a host and its cluster hold. */
export interface Holdings {
  /** Endpoints of the host, each under all of the policies. */
  readonly endpoints: number;
  readonly policies: number;
  /** Network sets, which the rules of the policies ask about in turn. */
  readonly sets: number;
  /** Addresses in each of them. */
  readonly members: number;
}

/** Of a policy, in each direction. */
const RULES = 5;
/** Operations of a transaction, and transactions under way. */
const [AT_ONCE, LANES] = [50, 8];

/** Whatever `readResource` reads: defaults are filled in by whoever reads. */
export function resource(kind: string, metadata: object, spec: object): AnyResource {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata,
    spec,
  } as unknown as AnyResource;
}

export function put(written: AnyResource): Operation {
  const { kind, metadata } = written;
  const form = toStoredForm(kind, written, metadata.name);
  return { type: 'put', key: resourceKey(kind, metadata), value: stringifyJson(form) };
}

export async function putAll(datastore: Datastore, all: readonly AnyResource[]): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < all.length) {
      const operations = all.slice(next, next + AT_ONCE).map(put);
      next += AT_ONCE;
      await datastore.transact({ conditions: [], operations });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** The host's own endpoints with their policies, and the network sets that those ask about. */
export function holdings({ endpoints, policies, sets, members }: Holdings): AnyResource[] {
  return [
    ...times(sets, (i) => networkSet(`set-${i}`, addressesOf(20, i * members, members))),
    ...times(policies, (i) => policyOf(i, sets)),
    ...times(endpoints, ownEndpoint),
  ];
}

/** @param port What the first of its rules allows. */
export function policyOf(i: number, sets: number, port = 80): AnyResource {
  const rules = (end: 'source' | 'destination') =>
    times(RULES, (rule) => {
      const set = `set-${(i * RULES + rule) % Math.max(1, sets)}`;
      const ports = [rule === 0 ? port : 80 + rule, '8000:8010'];
      const peer = { [end]: { selector: `name == '${set}'` } };
      const destination = { ...peer.destination, ports };
      return { action: 'Allow', protocol: 'TCP', ...peer, destination };
    });
  const spec = {
    order: i,
    selector: "group == 'own'",
    types: ['Ingress', 'Egress'],
    ingress: rules('source'),
    egress: rules('destination'),
  };
  return resource('GlobalNetworkPolicy', { name: `policy-${i}` }, spec);
}

/** A policy of the host's own endpoints that lets in what a selector selects. */
export function admitting(name: string, selector: string): AnyResource {
  const spec = {
    order: 1000,
    selector: "group == 'own'",
    types: ['Ingress'],
    ingress: [{ action: 'Allow', source: { selector } }],
  };
  return resource('GlobalNetworkPolicy', { name }, spec);
}

export function networkSet(name: string, nets: readonly string[], kind = name): AnyResource {
  return resource('GlobalNetworkSet', { name, labels: { name, kind } }, { nets });
}

export function ownEndpoint(i: number): AnyResource {
  return endpoint({ node: NODE, id: `own${i}`, address: addressIn(10, i), group: 'own', i });
}

/** An endpoint of another host. */
export function otherEndpoint(i: number): AnyResource {
  const node = `other${i % 1000}`;
  return endpoint({ node, id: `fleet${i}`, address: addressIn(11, i), group: 'fleet', i });
}

interface EndpointParts {
  readonly node: string;
  readonly id: string;
  readonly address: string;
  readonly group: string;
  readonly i: number;
}

function endpoint({ node, id, address, group, i }: EndpointParts): AnyResource {
  const name = `${node}-k8s-${id}-eth0`;
  const labels = { app: `app${i % 100}`, group, 'projectcalico.org/namespace': 'default' };
  const spec = {
    node,
    orchestrator: 'k8s',
    pod: id,
    endpoint: 'eth0',
    interfaceName: interfaceOf(i),
    ipNetworks: [`${address}/32`],
    profiles: ['projectcalico-default-allow'],
  };
  return resource('WorkloadEndpoint', { name, namespace: 'default', labels }, spec);
}

export const interfaceOf = (i: number): string => `cali${i.toString(16).padStart(5, '0')}`;

/** Address number `i` of a /8. */
export function addressIn(first: number, i: number): string {
  return `${first}.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
}

function addressesOf(first: number, from: number, count: number): string[] {
  return times(count, (i) => `${addressIn(first, from + i)}/32`);
}

export function times<T>(count: number, make: (i: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}
