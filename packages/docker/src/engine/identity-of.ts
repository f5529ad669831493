import { isLabelKey, isLabelValue } from '@overland/model';
import type { WorkloadIdentity } from '@overland/workloads';

/** Labels that Calico's plugin for Docker took, without this. */
const CALICO_PREFIX = 'org.projectcalico.label.';

/**
 * Who a container is to policies: its name, and those of its labels that can be labels of an endpoint. Others, such as
 * the paths that compose notes, are left out: no selector could name them.
 */
export function identityOf(container: {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}): WorkloadIdentity {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(container.labels)) {
    const names = key.startsWith(CALICO_PREFIX) ? [key, key.slice(CALICO_PREFIX.length)] : [key];
    for (const name of names) if (isLabelKey(name) && isLabelValue(value)) labels[name] = value;
  }
  return { name: workloadName(container.name) || container.id.slice(0, 12), labels };
}

/** Names of containers may have what those of workloads must not. It need not be unique. */
function workloadName(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|-+$/g, '');
}
