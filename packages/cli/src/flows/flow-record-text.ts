import type { FlowRecord } from '@overland/agent/client';
import type { Colours } from '../colours.ts';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** A record as a line: when, verdict, who to whom, how much, by which rule. */
export function flowRecordText(record: FlowRecord, colours: Colours): string {
  const { until, verdict, source, destination, protocol } = record;
  const shade = verdict === 'allow' ? colours.green : colours.red;
  const port = destination.port === undefined ? icmpText(record) : ` ${destination.port}`;
  const ends = `${nameOf(source)} -> ${nameOf(destination)}`;
  const what = `${protocol}${port}`;
  return `${colours.dim(until)}  ${shade(verdict.padEnd(5))}  ${colours.bold(ends)}  ${what}  ${amount(record)}  ${colours.dim(byWhom(record) + stagedText(record))}\n`;
}

function nameOf({ kind, name, address }: FlowRecord['source']): string {
  if (name === undefined) return address;
  return kind === 'workload' ? name : `${address} (${kind} ${name})`;
}

function icmpText({ icmpType, icmpCode }: FlowRecord): string {
  return icmpType === undefined ? '' : ` type ${icmpType} code ${icmpCode ?? 0}`;
}

function amount(record: FlowRecord): string {
  const { verdict, began, ended, packets, octets, answerOctets } = record;
  if (verdict === 'deny') return `${packets} packet${packets === 1 ? '' : 's'} dropped`;
  const parts = [
    ...(began > 0 ? [`${began} began`] : []),
    ...(ended > 0 ? [`${ended} ended: ${size(octets)} sent, ${size(answerOctets)} back`] : []),
  ];
  return parts.join(', ');
}

/** The reason that counts, or what the kernel did though no policy says so now. */
function byWhom({ verdict, reasons }: FlowRecord): string {
  const by = reasons.at(-1);
  if (!by || by.action !== verdict) return `by no policy that is in force now`;
  if (by.policy === undefined) return `${by.direction} of ${by.endpoint}: ${by.reason ?? ''}`;
  return `${by.direction} of ${by.endpoint}: rule ${by.rule} of ${by.policy}`;
}

/** What the staged policies would make of it, where that is something else. */
function stagedText({ reasons }: FlowRecord): string {
  const staged = reasons.find((reason) => reason.staged)?.staged;
  if (!staged) return '';
  const verdict = staged.action === 'deny' ? 'denied' : 'allowed';
  const by =
    staged.policy === undefined ? staged.reason : `rule ${staged.rule} of ${staged.policy}`;
  return `; staged policies: ${verdict} (${by ?? ''})`;
}

function size(octets: number): string {
  let [value, unit] = [octets, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
