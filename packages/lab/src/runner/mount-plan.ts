import type { Bind, Node } from '../topology/topology.ts';
import type { LabPaths } from './lab-paths.ts';

/** Mounted anew in every node. */
const OWN = ['/proc', '/sys', '/dev', '/run', '/tmp'];
/** Where recipes let their programs write logs; all of them are the node's log folder. */
const LOG_DIRECTORIES = ['/var/log/frr', '/var/log/bird', '/var/log/overland'];

/**
 * What is bound into a node besides the overlay over the host's root.
 *
 * @param mounts The host's mount points: an overlay does not reach into them.
 * @param checkout Folder of the running Overland.
 */
export function mountPlan(
  node: Pick<Node, 'name' | 'binds'>,
  { paths, mounts, checkout }: { paths: LabPaths; mounts: readonly string[]; checkout: string },
): Bind[] {
  const own = paths.node(node.name);
  const extra = mounts.filter(
    (mount) => mount !== '/' && !OWN.some((path) => isBelow(mount, path)),
  );
  // Each is bound with everything below it.
  const outermost = extra.filter(
    (mount) => !extra.some((other) => other !== mount && isBelow(mount, other)),
  );
  const logs = LOG_DIRECTORIES.map((target) => bind(own.log, target, 'rw'));
  return [
    ...outermost.map((mount) => bind(mount, mount, 'rw')),
    bind(checkout, checkout, 'ro'),
    bind(paths.hosts, '/etc/hosts', 'ro'),
    bind(paths.resolver, '/etc/resolv.conf', 'ro'),
    bind(paths.command, '/usr/local/bin/overland', 'ro'),
    bind(own.disk, '/var/lib/overland', 'rw'),
    ...logs,
    ...node.binds,
  ];
}

/** Mount points of a mountinfo file (proc(5)), in order. */
export function parseMountPoints(mountinfo: string): string[] {
  const points = mountinfo.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  return points.map((point) =>
    point.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
}

function bind(source: string, target: string, mode: Bind['mode']): Bind {
  return { source, target, mode };
}

function isBelow(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`);
}
