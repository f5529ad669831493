import type { FlowKind } from '@overland/felix/policy';
import { hasPorts, protocolNamed } from '@overland/model';
import { UsageError } from '../command.ts';

const ALLOWED = '443, 443/tcp, 53/udp, icmp, icmp/8, icmpv6/128, or a protocol number as proto/47';

/**
 * Reads what is asked about: `443/tcp`, `53/udp`, `icmp/8`, `proto/47`. A number alone is a port of TCP.
 *
 * @param field What the text was given for, for the error.
 * @throws {UsageError}
 */
export function parseFlowKind(text: string, field: string): FlowKind {
  const fault = new UsageError(`${field} ${JSON.stringify(text)}: must be ${ALLOWED}`);
  const [first = '', second, ...rest] = text.toLowerCase().split('/');
  if (rest.length > 0) throw fault;
  if (/^\d+$/.test(first)) {
    const protocol = protocolNamed(second ?? 'tcp');
    const destinationPort = Number(first);
    if (protocol === undefined || !hasPorts(protocol)) throw fault;
    if (destinationPort < 1 || destinationPort > 65_535) throw fault;
    return { protocol, destinationPort };
  }
  const number = second === undefined || !/^\d+$/.test(second) ? undefined : Number(second);
  if (second !== undefined && (number === undefined || number > 255)) throw fault;
  if (first === 'proto') {
    if (number === undefined || number < 1) throw fault;
    return { protocol: number };
  }
  const protocol = protocolNamed(first);
  if (protocol === 1 || protocol === 58) return { protocol, icmpType: number };
  if (protocol === undefined || second !== undefined) throw fault;
  return { protocol };
}
