import { CNI_CODE, CniError } from './cni-error.ts';
import type { NetworkConfiguration } from './network-configuration.ts';

/** Fields of a WorkloadEndpoint's `qosControls`, bits but for packets, connections and `…Minburst`. */
type TrafficLimits = Readonly<Record<string, number | string>>;

/** What kubelet reads, too, and tells as `runtimeConfig.bandwidth`; both are rates in bits per second. */
const KUBERNETES = {
  'kubernetes.io/ingress-bandwidth': 'ingressBandwidth',
  'kubernetes.io/egress-bandwidth': 'egressBandwidth',
} as const;
/** Calico's (`libcalico-go/lib/backend/k8s/conversion`). */
const CALICO_PREFIX = 'qos.projectcalico.org/';
const CALICO_NAMES = [
  'Bandwidth',
  'Burst',
  'Peakrate',
  'Minburst',
  'PacketRate',
  'PacketBurst',
  'MaxConnections',
].flatMap((name) => [`ingress${name}`, `egress${name}`]);
const RATE_BITS = [1000, 1e15] as const;
/** Largest burst of a token bucket; runtimes say "none" by a number near it. */
const MAX_BURST_BITS = 34_359_738_360;

/** Suffixes of a quantity of Kubernetes that make sense here. */
const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/**
 * How much the container may send and receive: Calico's annotations count more than the runtime's word, and that more than
 * Kubernetes' annotations, which the runtime has read.
 *
 * @throws {CniError} Code 7 for what is no rate.
 */
export function trafficLimitsOf({
  runtimeConfig,
}: NetworkConfiguration): TrafficLimits | undefined {
  const annotations = runtimeConfig?.['io.kubernetes.cri.pod-annotations'] ?? {};
  const limits: Record<string, number | string> = {};
  for (const [annotation, field] of Object.entries(KUBERNETES)) {
    const text = annotations[annotation];
    if (text !== undefined) limits[field] = quantityOf(annotation, text);
  }
  for (const direction of ['ingress', 'egress'] as const) {
    const rate = runtimeConfig?.bandwidth?.[`${direction}Rate`] ?? 0;
    if (rate === 0) continue;
    const [least, most] = RATE_BITS;
    if (rate < least || rate > most)
      refuse(`runtimeConfig.bandwidth.${direction}Rate is ${rate}`, `0 or ${least} to ${most}`);
    const burst = runtimeConfig?.bandwidth?.[`${direction}Burst`] ?? 0;
    limits[`${direction}Bandwidth`] = rate;
    if (burst > 0) limits[`${direction}Burst`] = Math.min(burst, MAX_BURST_BITS);
  }
  for (const name of CALICO_NAMES) {
    const text = annotations[CALICO_PREFIX + name];
    if (text !== undefined) limits[name] = quantityOf(CALICO_PREFIX + name, text);
  }
  const dscp = annotations[`${CALICO_PREFIX}dscp`];
  if (dscp !== undefined) limits.dscp = dscp;
  return Object.keys(limits).length > 0 ? limits : undefined;
}

/** `10M`, `1.5Gi`, `64000`. */
function quantityOf(annotation: string, text: string): number {
  const [, digits, suffix = ''] = /^(\d{1,18}(?:\.\d{1,9})?)([kMGTP]|[KMGTP]i)?$/.exec(text) ?? [];
  const value = Math.ceil(Number(digits) * (FACTORS[suffix] ?? Number.NaN));
  if (Number.isSafeInteger(value)) return value;
  return refuse(
    `the annotation ${annotation} is '${text.slice(0, 200)}'`,
    'a quantity as 10M or 64000',
  );
}

function refuse(what: string, allowed: string): never {
  throw new CniError(CNI_CODE.invalidConfiguration, `${what}; it must be ${allowed}`);
}
