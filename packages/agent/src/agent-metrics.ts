import type { Metric, MetricSample } from '@overland/bgp/metrics';
import type { DataplaneStatus, PolicyCounts } from '@overland/felix';
import type { AgentThreads } from './run-agent.ts';
import type { StoreStatus } from './store-methods.ts';

/** Reads the metrics of all threads that have started. A thread that cannot answer is left out. */
export async function agentMetrics(threads: AgentThreads): Promise<readonly Metric[]> {
  const [store, speaker, dataplane] = await Promise.all([
    threads.store?.status().catch(() => undefined),
    threads.speaker?.metrics().catch(() => undefined),
    threads.dataplane?.status().catch(() => undefined),
  ]);
  return [
    ...processMetrics(),
    ...(store ? storeMetrics(store) : []),
    ...(speaker ?? []),
    ...(dataplane ? dataplaneMetrics(dataplane) : []),
  ];
}

function gauge(name: string, help: string, samples: number | readonly MetricSample[]): Metric {
  return {
    name,
    help,
    type: 'gauge',
    samples: typeof samples === 'number' ? [{ value: samples }] : samples,
  };
}

function processMetrics(): Metric[] {
  const { user, system } = process.cpuUsage();
  return [
    {
      name: 'process_cpu_seconds_total',
      help: 'CPU time of all threads.',
      type: 'counter',
      samples: [{ value: (user + system) / 1e6 }],
    },
    gauge('process_resident_memory_bytes', 'Resident memory.', process.memoryUsage.rss()),
    gauge('process_start_time_seconds', 'Start, since 1970.', performance.timeOrigin / 1000),
  ];
}

function storeMetrics({ datastore, problems }: StoreStatus): Metric[] {
  return [
    gauge(
      'overland_datastore_in_sync',
      'Whether the host goes by what the datastore holds now: neither by its snapshot nor by what it knew before an outage.',
      Number(datastore.state === 'synced' || datastore.state === 'locked'),
    ),
    gauge('overland_resource_problems', 'Resources without their full effect.', problems.length),
  ];
}

/** Felix's names where the meaning is the same. */
function dataplaneMetrics({
  local,
  learned,
  failureCount,
  repairs,
  endedConnections,
  nextHopObjects,
  policy,
}: DataplaneStatus): Metric[] {
  const families = ['ipv4', 'ipv6'] as const;
  const perFamily = (pick: (family: (typeof families)[number]) => number): MetricSample[] =>
    families.map((family) => ({ labels: { family }, value: pick(family) }));
  return [
    gauge('felix_active_local_endpoints', 'Endpoints of this host.', local.endpoints),
    gauge(
      'overland_endpoints_waiting',
      'Endpoints that are not fully programmed.',
      local.waiting.length,
    ),
    gauge(
      'overland_learned_routes_wanted',
      'Routes that the speaker wants in the kernel.',
      perFamily((family) => learned[family].wanted),
    ),
    gauge(
      'overland_learned_routes_programmed',
      'Of them, those in the kernel as wanted.',
      perFamily((family) => learned[family].programmed),
    ),
    gauge(
      'overland_learned_routes_stale',
      'Routes of before the start that no peer has sent again yet.',
      perFamily((family) => learned[family].stale),
    ),
    gauge('overland_next_hop_objects', 'Next-hop objects of ours.', nextHopObjects),
    gauge('overland_kernel_failures', 'Kernel objects that could not be written.', failureCount),
    {
      name: 'overland_kernel_repairs_total',
      help: 'Changes of ours that somebody else undid.',
      type: 'counter',
      samples: [{ value: repairs }],
    },
    {
      name: 'overland_connections_ended_total',
      help: 'Connections that policy forbids, or whose address has left.',
      type: 'counter',
      samples: [{ value: endedConnections }],
    },
    ...(policy ? policyMetrics(policy) : []),
  ];
}

function policyMetrics({ policies, sets, refusals }: PolicyCounts): Metric[] {
  return [
    gauge(
      'felix_active_local_policies',
      'Policies that some endpoint of this host is asked about.',
      policies,
    ),
    gauge('felix_active_local_selectors', 'Sets that their rules ask.', sets),
    {
      name: 'felix_int_dataplane_failures',
      help: 'Changes that the packet filter refused.',
      type: 'counter',
      samples: [{ value: refusals }],
    },
  ];
}
