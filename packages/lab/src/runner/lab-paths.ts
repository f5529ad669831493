import { fileURLToPath } from 'node:url';

/** Where labs keep their files. All of it is readable by root only. */
export const LABS_DIRECTORY = '/run/overland/lab';

/** Name of the node that is the management network: the bridge, and etcd if there is one. */
export const MANAGEMENT_NODE = 'mgmt-net';

/** The files of one lab, by meaning. */
export interface LabPaths {
  readonly directory: string;
  /** The topology as it runs, JSON. */
  readonly topology: string;
  /** Names of all nodes; every node's `/etc/hosts`. */
  readonly hosts: string;
  /** Empty: every node's `/etc/resolv.conf`. There is no name server, and asking one would take its time-out. */
  readonly resolver: string;
  /** The `overland` command of this checkout, as nodes see it. */
  readonly command: string;
  /** `__clabDir__`. */
  readonly files: string;
  /** What lives as long as the lab and belongs to one node. */
  node(name: string): NodePaths;
}

interface NodePaths {
  /** Where its file system is put together; on the host it stays empty. */
  readonly root: string;
  /** Its `/var/log/{frr,bird,overland}`. */
  readonly log: string;
  /** Its `/var/lib/overland`: outlives the node, as a disk does a reboot. */
  readonly disk: string;
}

export function labPaths(name: string): LabPaths {
  const directory = `${LABS_DIRECTORY}/${name}`;
  return {
    directory,
    topology: `${directory}/topology.json`,
    hosts: `${directory}/hosts`,
    resolver: `${directory}/resolv.conf`,
    command: `${directory}/overland`,
    files: `${directory}/files`,
    node: (node) => ({
      root: `${directory}/nodes/${node}/root`,
      log: `${directory}/nodes/${node}/log`,
      disk: `${directory}/nodes/${node}/disk`,
    }),
  };
}

/** A program of this package that runs inside nodes; the same place from `src/runner` and `dist/runner`. */
export function packagedProgram(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}
