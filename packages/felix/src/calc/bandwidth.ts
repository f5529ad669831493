import type { WorkloadEndpoint } from '@overland/model';

/** How much a workload may receive or send. */
export interface BandwidthLimit {
  /** Octets per second. */
  readonly rate: number;
  /** Octets at once. */
  readonly burst: number;
  /** How fast `burst` itself may pass. */
  readonly peak?: {
    /** Octets per second, more than the rate. */
    readonly rate: number;
    /** Octets at once; 0: one frame. */
    readonly burst: number;
  };
}

/** As seen from the workload: ingress is what it receives. Absent: no limit. */
export interface Bandwidth {
  readonly ingress?: BandwidthLimit;
  readonly egress?: BandwidthLimit;
}

type Controls = NonNullable<WorkloadEndpoint['spec']['qosControls']>;
type Field = Exclude<keyof Controls, 'dscp'>;

/** What Calico takes (`felix/dataplane/linux/qos`), bits but for `Minburst`, which is octets. 0 is the default of each. */
const ALLOWED = {
  Bandwidth: [1000, 1e15],
  Burst: [1000, 34_359_738_360],
  Peakrate: [1010, 1.01e15],
  Minburst: [1000, 1e8],
} as const;
const DEFAULT_BURST_BITS = 4_294_967_296;
const OCTET = 8;

/**
 * The limits of an endpoint. A number that nobody could mean becomes the nearest that is allowed, so that a limit stays one.
 *
 * @param note Called with the field and what is wrong with it.
 */
export function bandwidthOf(
  { spec: { qosControls } }: WorkloadEndpoint,
  note: (reason: string) => void,
): Bandwidth | undefined {
  if (!qosControls) return undefined;
  const ingress = limitOf(qosControls, 'ingress', note);
  const egress = limitOf(qosControls, 'egress', note);
  if (!ingress && !egress) return undefined;
  return { ...(ingress && { ingress }), ...(egress && { egress }) };
}

function limitOf(
  controls: Controls,
  direction: keyof Bandwidth,
  note: (reason: string) => void,
): BandwidthLimit | undefined {
  const read = (name: keyof typeof ALLOWED): number => {
    const field: Field = `${direction}${name}`;
    const value = controls[field] ?? 0;
    const [least, most] = ALLOWED[name];
    const allowed = value === 0 ? 0 : Math.min(Math.max(value, least), most);
    if (allowed !== value)
      note(`qosControls.${field} is ${value}: taken as ${allowed}, of ${least} to ${most}`);
    return allowed;
  };
  const rate = Math.floor(read('Bandwidth') / OCTET);
  if (rate === 0) return undefined;
  const burst = Math.floor((read('Burst') || DEFAULT_BURST_BITS) / OCTET);
  const peakRate = Math.floor(read('Peakrate') / OCTET);
  const minburst = read('Minburst');
  if (peakRate > 0 && peakRate <= rate) {
    note(`qosControls.${direction}Peakrate has no effect: it is not above ${direction}Bandwidth`);
  }
  if (peakRate <= rate) return { rate, burst };
  return { rate, burst, peak: { rate: peakRate, burst: minburst } };
}
