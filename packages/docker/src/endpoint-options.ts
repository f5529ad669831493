import { isLabelKey, isLabelValue } from '@overland/model';
import { parsed, portMap } from './protocol.ts';
import type { PublishedPort } from './records.ts';
import { RefusalError } from './refusal.ts';

/** `driver-opt=overland.label.KEY=VALUE` of `--network`. */
const LABEL_PREFIX = 'overland.label.';
const OWN_PREFIX = 'overland.';

const PROTOCOLS: Readonly<Record<number, PublishedPort['protocol']>> = {
  6: 'TCP',
  17: 'UDP',
  132: 'SCTP',
};

/** What is as good as no address: all of the host's. */
const ANY_HOST = ['', '0.0.0.0', '::'];

/**
 * Labels that the endpoint was given.
 *
 * @returns `undefined`: none, its container's count.
 * @throws {RefusalError} For what is no label, or no option of ours.
 */
export function givenLabels(
  options: Readonly<Record<string, unknown>>,
): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const [option, value] of Object.entries(options)) {
    if (!option.startsWith(OWN_PREFIX)) continue;
    const key = option.slice(LABEL_PREFIX.length);
    if (!option.startsWith(LABEL_PREFIX) || !isLabelKey(key)) {
      throw new RefusalError(
        `driver-opt ${option} is not known: there is ${LABEL_PREFIX}KEY, where KEY is as of a label of Kubernetes`,
      );
    }
    if (typeof value !== 'string' || !isLabelValue(value)) {
      throw new RefusalError(
        `driver-opt ${option} is ${JSON.stringify(value)}: a label's value is at most 63 letters, digits, '-', '_' and '.'`,
      );
    }
    labels[key] = value;
  }
  return Object.keys(labels).length > 0 ? labels : undefined;
}

/**
 * Ports of the host that are to lead to the endpoint. Of a range Docker leaves the choice to us.
 *
 * @param isTaken Whether a port leads to another endpoint of this host.
 * @throws {RefusalError} If a port is taken, or left open.
 */
export function publishedPorts(
  options: Readonly<Record<string, unknown>>,
  isTaken: (port: PublishedPort) => boolean,
): PublishedPort[] {
  const chosen: PublishedPort[] = [];
  for (const wish of parsed(portMap, options['com.docker.network.portmap'] ?? [], 'ports')) {
    const protocol = PROTOCOLS[wish.Proto];
    const { Port: port, HostIP: hostIP, HostPort: first } = wish;
    if (!protocol) throw new RefusalError(`ports: protocol ${wish.Proto} is not TCP, UDP or SCTP`);
    if (first === 0) {
      throw new RefusalError(
        `the port ${port} is published without a port of the host: say which, as -p 8080:${port}`,
      );
    }
    const last = Math.max(first, wish.HostPortEnd);
    const candidates = Array.from({ length: last - first + 1 }, (_, at): PublishedPort => {
      const common = { protocol, port, hostPort: first + at };
      return ANY_HOST.includes(hostIP) ? common : { ...common, hostIP };
    });
    const free = candidates.find((one) => !isTaken(one) && !chosen.some(collidesWith(one)));
    if (!free) {
      const range = first === last ? `port ${first}` : `every port from ${first} to ${last}`;
      throw new RefusalError(`${range} (${protocol}) of the host leads to another container`);
    }
    chosen.push(free);
  }
  return chosen;
}

/** Whether two cannot both be: the same port of the same address of the host. */
export function collidesWith(one: PublishedPort): (other: PublishedPort) => boolean {
  return (other) =>
    one.protocol === other.protocol &&
    one.hostPort === other.hostPort &&
    (one.hostIP === undefined || other.hostIP === undefined || one.hostIP === other.hostIP);
}
