import type { FlowEnd, FlowRecord } from './flow-record.ts';
import type { FlowSink } from './flow-service.ts';

const TIMEOUT_MS = 5000;
/** Records of one request. */
const BATCH = 512;
/** SeverityNumber of the OpenTelemetry log data model. */
const SEVERITY = {
  allow: { number: 9, text: 'INFO' },
  deny: { number: 13, text: 'WARN' },
} as const;

/**
 * Sends records as logs to an OpenTelemetry collector: OTLP over HTTP, in JSON. opentelemetry.io/docs/specs/otlp
 *
 * @param endpoint Of the collector, such as `http://127.0.0.1:4318`; `/v1/logs` is put behind it.
 */
export function flowOtlp(endpoint: URL): FlowSink {
  const url = new URL(`${endpoint.pathname.replace(/\/$/, '')}/v1/logs`, endpoint);
  return {
    async write(records) {
      for (let from = 0; from < records.length; from += BATCH) {
        const response = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(logsOf(records.slice(from, from + BATCH))),
          signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`${url} answers HTTP status ${response.status}`);
      }
    },
  };
}

function logsOf(records: readonly FlowRecord[]) {
  const node = records[0]?.node ?? '';
  const resource = attributesOf({ 'service.name': 'overland', 'host.name': node });
  return {
    resourceLogs: [
      {
        resource: { attributes: resource },
        scopeLogs: [{ scope: { name: 'overland.flows' }, logRecords: records.map(logOf) }],
      },
    ],
  };
}

/** Names as the semantic conventions have them, where they have one. */
function logOf(record: FlowRecord) {
  const { source, destination, verdict, protocol, reasons } = record;
  const by = reasons.at(-1);
  const staged = reasons.find((reason) => reason.staged)?.staged;
  const severity = SEVERITY[verdict];
  const port = destination.port === undefined ? '' : `:${destination.port}`;
  const text = `${verdict} ${protocol} ${nameOf(source)} to ${nameOf(destination)}${port}`;
  return {
    timeUnixNano: `${BigInt(Date.parse(record.until)) * 1_000_000n}`,
    severityNumber: severity.number,
    severityText: severity.text,
    body: { stringValue: text },
    attributes: attributesOf({
      'source.address': source.address,
      'destination.address': destination.address,
      'destination.port': destination.port,
      'network.transport': protocol.toLowerCase(),
      'overland.verdict': verdict,
      'overland.source.name': source.name,
      'overland.destination.name': destination.name,
      'overland.policy': by?.policy,
      'overland.policy.rule': by?.rule,
      'overland.policy.tier': by?.tier,
      'overland.reason': by?.reason,
      'overland.staged.verdict': staged?.action,
      'overland.staged.policy': staged?.policy,
      'overland.staged.policy.rule': staged?.rule,
      'overland.connections.began': record.began,
      'overland.connections.ended': record.ended,
      'overland.packets': record.packets,
      'overland.octets': record.octets,
      'overland.answer.packets': record.answerPackets,
      'overland.answer.octets': record.answerOctets,
    }),
  };
}

function nameOf({ name, address }: FlowEnd & { readonly address: string }): string {
  return name ?? address;
}

/** 64-bit numbers are text in the JSON form of protocol buffers. */
function attributesOf(values: Record<string, string | number | undefined>) {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [
      { key, value: typeof value === 'number' ? { intValue: `${value}` } : { stringValue: value } },
    ];
  });
}
