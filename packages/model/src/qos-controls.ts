import { z } from 'zod';

/** Names of Differentiated Services code points. Sources: RFC 2474, 2597, 3246, 8622. */
const DSCP_NAMES =
  'DF EF LE CS0 CS1 CS2 CS3 CS4 CS5 CS6 AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43';
const DSCP_CLASSES = { DF: 0, LE: 1, EF: 46 } as const;
const DSCP_RULE = 'must be a code point: a number from 0 to 63, or a name as EF or AF11';

const dscp = z
  .union([z.number().int().min(0).max(63), z.string()], { error: DSCP_RULE })
  .refine(
    (value) =>
      typeof value === 'number' ||
      DSCP_NAMES.split(' ').includes(value) ||
      (/^\d{1,2}$/.test(value) && Number(value) <= 63),
    DSCP_RULE,
  );

const limit = (description: string) => z.number().int().min(0).optional().meta({ description });

const bandwidth = limit('bits per second: 1000 to 10^15; 0 for no limit');
const burst = limit('bits: 1000 to 34359738360; 0 for 4294967296');
const peakrate = limit('bits per second: 1010 to 1.01 × 10^15; 0 for the rate of the line');
const minburst = limit('octets: 1000 to 10^8; 0 for the MTU');
const packetRate = limit('packets per second: 1 to 10000; 0 for no limit');
const packetBurst = limit('packets: 1 to 10000; 0 for 5');
const connections = limit('connections: 1 to 4294967295; 0 for no limit');

/** Limits on the traffic of a workload, as seen from it: ingress is what it receives. */
export const qosControls = z.object({
  ingressBandwidth: bandwidth,
  ingressBurst: burst,
  ingressPeakrate: peakrate,
  ingressMinburst: minburst,
  egressBandwidth: bandwidth,
  egressBurst: burst,
  egressPeakrate: peakrate,
  egressMinburst: minburst,
  ingressPacketRate: packetRate,
  ingressPacketBurst: packetBurst,
  egressPacketRate: packetRate,
  egressPacketBurst: packetBurst,
  ingressMaxConnections: connections,
  egressMaxConnections: connections,
  dscp: dscp.optional().describe('Code point of what it sends, to wherever.'),
});

/** @param value As the schema takes it. @returns 0..63. */
export function dscpNumber(value: number | string): number {
  if (typeof value === 'number') return value;
  const [, kind, first, second = '0'] = /^(CS|AF)(\d)(\d)?$/.exec(value) ?? [];
  // Class selectors are the old precedence bits (RFC 2474); AFxy is class x with drop precedence y (RFC 2597).
  if (kind) return Number(first) * 8 + Number(second) * 2;
  return DSCP_CLASSES[value as keyof typeof DSCP_CLASSES] ?? Number(value);
}
