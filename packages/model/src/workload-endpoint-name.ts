import { ParseError } from '@overland/net';

/** What names a workload endpoint. Which of the optional parts count depends on the orchestrator. */
export interface WorkloadEndpointIdentity {
  readonly node: string;
  readonly orchestrator: string;
  readonly endpoint?: string | undefined;
  /** Of `k8s`. */
  readonly pod?: string | undefined;
  /** Of `cni`. */
  readonly containerID?: string | undefined;
  /** Of any other orchestrator but `libnetwork`, which has none. */
  readonly workload?: string | undefined;
}

type Part = keyof WorkloadEndpointIdentity;

/** The four parts of a name, in order. */
function partsOf(orchestrator: string): readonly [Part, Part, Part, Part] {
  if (orchestrator === 'k8s') return ['node', 'orchestrator', 'pod', 'endpoint'];
  if (orchestrator === 'cni') return ['node', 'orchestrator', 'containerID', 'endpoint'];
  if (orchestrator === 'libnetwork') return ['node', 'orchestrator', 'orchestrator', 'endpoint'];
  return ['node', 'orchestrator', 'workload', 'endpoint'];
}

/**
 * Composes the name of a workload endpoint as Calico does (`libcalico-go/lib/names`): four parts joined with
 * `-`, dashes inside a part doubled.
 *
 * @throws {ParseError} If a part is missing, or starts or ends with a dash.
 */
export function workloadEndpointName(identity: WorkloadEndpointIdentity): string {
  return partsOf(identity.orchestrator)
    .map((part) => {
      const value = identity[part] ?? '';
      if (value === '') throw new ParseError(part, value, 'a value: the name is made from it');
      if (value.startsWith('-') || value.endsWith('-')) {
        throw new ParseError(part, value, 'no dash at the start or the end');
      }
      return value.replaceAll('-', '--');
    })
    .join('-');
}

/**
 * The inverse of {@link workloadEndpointName}.
 *
 * @throws {ParseError} If `name` has not four parts.
 */
export function parseWorkloadEndpointName(name: string): WorkloadEndpointIdentity {
  const values = splitName(name);
  const [node = '', orchestrator = ''] = values;
  if (values.length !== 4 || values.includes('')) {
    throw new ParseError('workload endpoint name', name, 'NODE-ORCHESTRATOR-WORKLOAD-ENDPOINT');
  }
  const parts = partsOf(orchestrator);
  return {
    node,
    orchestrator,
    ...Object.fromEntries(parts.slice(2).map((part, i) => [part, values[i + 2]])),
    ...(orchestrator === 'libnetwork' && { orchestrator }),
  };
}

/** Splits at single dashes; doubled ones belong to a part. The first character never separates. */
function splitName(name: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (let i = 0; i < name.length; i++) {
    if (i === 0 || name[i] !== '-') {
      part += name[i];
    } else if (name[i + 1] === '-') {
      part += '-';
      i++;
    } else {
      parts.push(part);
      part = '';
    }
  }
  return [...parts, part];
}
