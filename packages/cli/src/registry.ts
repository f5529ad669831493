import type { Command } from './command.ts';

/** A command that is loaded only when it is used: starting the CLI costs one module, not all of them. */
export interface RegistryEntry {
  /** Noun and verb, or one word. Equal to the loaded command's name (tested). */
  readonly name: string;
  /** Equal to the loaded command's summary (tested). */
  readonly summary: string;
  load(): Promise<Command>;
}

/** What each noun is about, for `overland --help`. */
export const NOUNS: Readonly<Record<string, string>> = {
  cluster: 'Look at the cluster as a whole',
  bgp: 'Run a BGP speaker by itself, and look at one',
  bfd: 'Run BFD by itself, and look at its sessions',
  datastore: 'Move, lock and look after the datastore',
  policy: 'Ask what policies make of traffic, and test them',
  ipam: 'Look after pools, blocks and addresses of the whole cluster',
  node: 'Look at this host, and take it out of service',
  workload: 'Network namespaces on the fabric, without a container runtime',
  cni: 'Container runtimes: plugins for them, and what plugins do',
  lab: 'Bring up a fabric of routers, hosts and containers on this machine',
};

/** Every command, in the order of the help. To add one: its file in `commands/`, its line here. */
export const COMMANDS: readonly RegistryEntry[] = [
  {
    name: 'lab up',
    summary: 'Bring up a lab and wait until it has converged',
    load: async () => (await import('./commands/lab-up.ts')).labUp,
  },
  {
    name: 'lab down',
    summary: 'Take a lab down and remove what it left',
    load: async () => (await import('./commands/lab-down.ts')).labDown,
  },
  {
    name: 'lab status',
    summary: 'Show nodes, links and BGP sessions of a lab, and what is missing',
    load: async () => (await import('./commands/lab-status.ts')).labStatus,
  },
  {
    name: 'lab exec',
    summary: 'Run a command in a node',
    load: async () => (await import('./commands/lab-exec.ts')).labExec,
  },
  {
    name: 'lab graph',
    summary: 'Draw a lab with the state of its links and sessions',
    load: async () => (await import('./commands/lab-graph.ts')).labGraph,
  },
  {
    name: 'lab ping',
    summary: 'Ping between all containers of a lab',
    load: async () => (await import('./commands/lab-ping.ts')).labPing,
  },
  {
    name: 'lab fail',
    summary: 'Break a link, or all links of a node',
    load: async () => (await import('./commands/lab-fail.ts')).labFail,
  },
  {
    name: 'lab heal',
    summary: 'Mend what lab fail broke',
    load: async () => (await import('./commands/lab-heal.ts')).labHeal,
  },
  {
    name: 'lab setup',
    summary: 'Install the system packages that labs need',
    load: async () => (await import('./commands/lab-setup.ts')).labSetup,
  },
  {
    name: 'bgp run',
    summary: 'Run a BGP router from a speaker file, without agent and datastore',
    load: async () => (await import('./commands/bgp-run.ts')).bgpRun,
  },
  {
    name: 'bgp config',
    summary: "Show the configuration of a node's speaker, as resources make it",
    load: async () => (await import('./commands/bgp-config.ts')).bgpConfig,
  },
  {
    name: 'bgp decode',
    summary: 'Print BGP messages as JSON, with what they would cost the session',
    load: async () => (await import('./commands/bgp-decode.ts')).bgpDecode,
  },
  {
    name: 'bgp bmp',
    summary: 'Show the BMP stations of the speaker, and how they fare',
    load: async () => (await import('./commands/bgp-bmp.ts')).bgpBmp,
  },
  {
    name: 'bgp rpki',
    summary: 'Show what is known of route origins: caches, VRPs, a verdict',
    load: async () => (await import('./commands/bgp-rpki.ts')).bgpRpki,
  },
  {
    name: 'bgp dump',
    summary: 'Write the routes of the speaker as an MRT table dump',
    load: async () => (await import('./commands/bgp-dump.ts')).bgpDump,
  },
  {
    name: 'bgp replay-trace',
    summary: 'Replay what overland bgp run --record has written, and compare the effects',
    load: async () => (await import('./commands/bgp-replay-trace.ts')).bgpReplayTrace,
  },
  {
    name: 'bgp summary',
    summary: 'Show the BGP sessions of this host in the columns of FRR',
    load: async () => (await import('./commands/bgp-summary.ts')).bgpSummary,
  },
  {
    name: 'bgp neighbor',
    summary: "Show one peer in full, in FRR's words",
    load: async () => (await import('./commands/bgp-neighbor.ts')).bgpNeighbor,
  },
  {
    name: 'bgp routes',
    summary: 'Show routes: chosen, received, refused or advertised',
    load: async () => (await import('./commands/bgp-routes.ts')).bgpRoutes,
  },
  {
    name: 'bgp explain',
    summary: 'Say why a route was chosen, refused, sent or not, or why a peer has no routes',
    load: async () => (await import('./commands/bgp-explain.ts')).bgpExplain,
  },
  {
    name: 'bgp events',
    summary: 'Show what happens to the sessions of this host',
    load: async () => (await import('./commands/bgp-events.ts')).bgpEvents,
  },
  {
    name: 'bgp capture',
    summary: 'Record what goes over one session, for Wireshark and tcpdump',
    load: async () => (await import('./commands/bgp-capture.ts')).bgpCapture,
  },
  {
    name: 'bgp update-groups',
    summary: 'Show which peers are sent the same, and what sets them apart',
    load: async () => (await import('./commands/bgp-update-groups.ts')).bgpUpdateGroups,
  },
  {
    name: 'bgp statistics',
    summary: "Show counts, queues, tables and times of this host's speaker",
    load: async () => (await import('./commands/bgp-statistics.ts')).bgpStatistics,
  },
  {
    name: 'bgp clear',
    summary: 'Reset a session, or exchange its routes again',
    load: async () => (await import('./commands/bgp-clear.ts')).bgpClear,
  },
  {
    name: 'bfd run',
    summary: 'Run BFD for this host, in a process that outlives agent and speaker',
    load: async () => (await import('./commands/bfd-run.ts')).bfdRun,
  },
  {
    name: 'bfd status',
    summary: 'Show the BFD sessions of this host in the words of FRR',
    load: async () => (await import('./commands/bfd-status.ts')).bfdStatus,
  },
  {
    name: 'agent',
    summary: "Run this host's agent",
    load: async () => (await import('./commands/agent.ts')).agent,
  },
  {
    name: 'datastore export',
    summary: 'Write everything the datastore has of the cluster into a directory',
    load: async () => (await import('./commands/datastore-export.ts')).datastoreExport,
  },
  {
    name: 'datastore import',
    summary: 'Write an exported directory into the datastore',
    load: async () => (await import('./commands/datastore-import.ts')).datastoreImport,
  },
  {
    name: 'datastore migrate',
    summary: 'Move everything from one datastore into another',
    load: async () => (await import('./commands/datastore-migrate.ts')).datastoreMigrate,
  },
  {
    name: 'datastore lock',
    summary: 'Keep agents and the command line from changing the datastore',
    load: async () => (await import('./commands/datastore-lock.ts')).datastoreLock,
  },
  {
    name: 'datastore unlock',
    summary: 'Let agents and the command line change the datastore again',
    load: async () => (await import('./commands/datastore-unlock.ts')).datastoreUnlock,
  },
  {
    name: 'datastore roles',
    summary: 'Print the etcd role that the agent of a host needs, as etcdctl commands',
    load: async () => (await import('./commands/datastore-roles.ts')).datastoreRoles,
  },
  {
    name: 'trace',
    summary: 'Follow packets of a flow through the packet filter of this host, rule by rule',
    load: async () => (await import('./commands/trace.ts')).trace,
  },
  {
    name: 'flows',
    summary: "Show the flows of this host's workloads, and which rule decided about each",
    load: async () => (await import('./commands/flows.ts')).flows,
  },
  {
    name: 'policy explain',
    summary: 'Say whether policies allow a flow, which rule decides, and what would change it',
    load: async () => (await import('./commands/policy-explain.ts')).policyExplain,
  },
  {
    name: 'policy show',
    summary: 'Show tiers, policies, rules and sets that decide about an endpoint',
    load: async () => (await import('./commands/policy-show.ts')).policyShow,
  },
  {
    name: 'policy preview',
    summary:
      'Say which flows seen lately manifests, or staged policies, would let through or cut off',
    load: async () => (await import('./commands/policy-preview.ts')).policyPreview,
  },
  {
    name: 'policy test',
    summary: 'Check a file of expectations about flows against policies',
    load: async () => (await import('./commands/policy-test.ts')).policyTest,
  },
  {
    name: 'ipam show',
    summary: 'Show how full pools are, or what is known of blocks and addresses',
    load: async () => (await import('./commands/ipam-show.ts')).ipamShow,
  },
  {
    name: 'ipam check',
    summary: 'Find addresses, blocks and handles that are not as they should be',
    load: async () => (await import('./commands/ipam-check.ts')).ipamCheck,
  },
  {
    name: 'ipam release',
    summary: 'Give back addresses that nobody uses',
    load: async () => (await import('./commands/ipam-release.ts')).ipamRelease,
  },
  {
    name: 'ipam split',
    summary: 'Replace a pool by equal parts of it',
    load: async () => (await import('./commands/ipam-split.ts')).ipamSplit,
  },
  {
    name: 'ipam configure',
    summary: 'Change how blocks are claimed and addresses given',
    load: async () => (await import('./commands/ipam-configure.ts')).ipamConfigure,
  },
  {
    name: 'ipam explain',
    summary: 'Say where the next address of a node would come from, and why',
    load: async () => (await import('./commands/ipam-explain.ts')).ipamExplain,
  },
  {
    name: 'ipam map',
    summary: 'Draw the blocks of a pool: colour by owner, fill by use',
    load: async () => (await import('./commands/ipam-map.ts')).ipamMap,
  },
  {
    name: 'node status',
    summary: 'Show datastore, BGP peers, address blocks and kernel state of this host',
    load: async () => (await import('./commands/node-status.ts')).nodeStatus,
  },
  {
    name: 'node drain',
    summary: 'Move traffic elsewhere, then end the BGP sessions of this host or router',
    load: async () => (await import('./commands/node-drain.ts')).nodeDrain,
  },
  {
    name: 'node takeover',
    summary: "Show what Calico has left in this host's packet filters, and remove it",
    load: async () => (await import('./commands/node-takeover.ts')).nodeTakeover,
  },
  {
    name: 'node undrain',
    summary: 'Open the BGP sessions of this host or router again, after node drain',
    load: async () => (await import('./commands/node-undrain.ts')).nodeUndrain,
  },
  {
    name: 'node diags',
    summary: 'Collect what helps to find a fault of this host into one archive',
    load: async () => (await import('./commands/node-diags.ts')).nodeDiags,
  },
  {
    name: 'node checksystem',
    summary: 'Check that the kernel can do what a host needs, and its settings',
    load: async () => (await import('./commands/node-checksystem.ts')).nodeChecksystem,
  },
  {
    name: 'workload run',
    summary: 'Make a network namespace, put it on the fabric, and run a command in it',
    load: async () => (await import('./commands/workload-run.ts')).workloadRun,
  },
  {
    name: 'workload list',
    summary: "Show this host's workloads",
    load: async () => (await import('./commands/workload-list.ts')).workloadList,
  },
  {
    name: 'workload exec',
    summary: "Run a command in a workload's network namespace",
    load: async () => (await import('./commands/workload-exec.ts')).workloadExec,
  },
  {
    name: 'workload rm',
    summary: 'Take a workload off the fabric, end its processes and remove its namespace',
    load: async () => (await import('./commands/workload-rm.ts')).workloadRm,
  },
  {
    name: 'cni install',
    summary: 'Install the CNI plugins, and a network for container runtimes',
    load: async () => (await import('./commands/cni-install.ts')).cniInstall,
  },
  {
    name: 'cni conformance',
    summary: 'Look at a CNI plugin, ours or another, point by point',
    load: async () => (await import('./commands/cni-conformance.ts')).cniConformance,
  },
  {
    name: 'schema',
    summary: "Print the JSON Schema of a kind's manifests, or list the kinds",
    load: async () => (await import('./commands/schema.ts')).schema,
  },
  {
    name: 'convert',
    summary: 'Convert manifests of Calico v1 and policies of Kubernetes to projectcalico.org/v3',
    load: async () => (await import('./commands/convert.ts')).convert,
  },
  {
    name: 'selector',
    summary: 'Parse a label selector, and say which labels it matches',
    load: async () => (await import('./commands/selector.ts')).selector,
  },
  {
    name: 'get',
    summary: 'Show resources',
    load: async () => (await import('./commands/get.ts')).get,
  },
  {
    name: 'apply',
    summary: 'Create resources, or bring those that exist to what manifests say',
    load: async () => (await import('./commands/apply.ts')).apply,
  },
  {
    name: 'create',
    summary: 'Create resources from manifests',
    load: async () => (await import('./commands/create.ts')).create,
  },
  {
    name: 'replace',
    summary: 'Replace resources that exist by manifests',
    load: async () => (await import('./commands/replace.ts')).replace,
  },
  {
    name: 'delete',
    summary: 'Delete resources, by manifest or by name',
    load: async () => (await import('./commands/delete.ts')).deleteResources,
  },
  {
    name: 'patch',
    summary: 'Change a part of a resource',
    load: async () => (await import('./commands/patch.ts')).patch,
  },
  {
    name: 'label',
    summary: 'Set or remove labels of a resource',
    load: async () => (await import('./commands/label.ts')).label,
  },
  {
    name: 'diff',
    summary: 'Show what apply would change',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'validate',
    summary: 'Check manifests, without a datastore',
    load: async () => (await import('./commands/validate.ts')).validate,
  },
  {
    name: 'completion',
    summary: 'Print a script that makes a shell complete overland',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: 'cluster info',
    summary: 'Show which cluster this is: its id, its type, and whether it is locked',
    load: async () => (await import('./commands/cluster-info.ts')).clusterInfo,
  },
  {
    name: 'version',
    summary: 'Print the version',
    load: async () => (await import('./commands/version.ts')).version,
  },
];
