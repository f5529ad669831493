import type { BgpConfiguration } from '@overland/model';
import type { Report } from './diagnostics.ts';
import { passwordFault } from './passwords.ts';
import { OWN_FIELDS } from './speaker-settings.ts';

type Field = keyof BgpConfiguration['spec'];

const NOT_YET: readonly Field[] = [
  'serviceClusterIPs',
  'serviceExternalIPs',
  'serviceLoadBalancerIPs',
  'ignoredInterfaces',
];
/** Calico takes all but ours from the object of a node; the rest is read from `default` only. */
const OF_NODE: readonly Field[] = [
  ...OWN_FIELDS,
  'logSeverityScreen',
  'listenPort',
  'prefixAdvertisements',
  // Names for the same object's.
  'communities',
];

/** Names the fields of the BGPConfigurations for this node that have no effect. */
export function reportUnsupportedSettings(
  configurations: readonly BgpConfiguration[],
  nodeName: string,
  report: Report,
): void {
  for (const { metadata, spec } of configurations) {
    if (metadata.name !== 'default' && metadata.name !== `node.${nodeName}`) continue;
    const resource = `BGPConfiguration ${metadata.name}`;
    const fields = Object.keys(spec).filter((key) => spec[key as Field] !== undefined) as Field[];
    for (const field of fields) {
      if (metadata.name !== 'default' && !OF_NODE.includes(field)) {
        report(resource, `${field} counts in the object named default only`);
      } else if (NOT_YET.includes(field)) report(resource, `${field} is not supported yet`);
    }
    if (metadata.name === 'default') reportMismatch(spec, resource, report);
  }
}

function reportMismatch(spec: BgpConfiguration['spec'], resource: string, report: Report): void {
  if (spec.nodeMeshPassword && spec.nodeToNodeMeshEnabled !== false) {
    const fault = passwordFault('nodeMeshPassword', spec.nodeMeshPassword);
    if (fault !== undefined) report(resource, fault);
  }
  if (spec.programClusterRoutes === 'Disabled' || spec.programClusterRoutes === 'EnabledIPIPOnly') {
    report(
      resource,
      `programClusterRoutes ${spec.programClusterRoutes}: routes are programmed all the same`,
    );
  }
  for (const field of ['ipv4NormalRoutePriority', 'ipv6NormalRoutePriority'] as const) {
    if ((spec[field] ?? 1024) !== 1024) report(resource, `${field}: the metric stays 1024`);
  }
}
