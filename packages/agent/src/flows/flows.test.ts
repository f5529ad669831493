import { once } from 'node:events';
import { mkdtempDisposable, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { JudgedFlow } from '@overland/felix';
import { type AnyResource, completeResource, parseManifest } from '@overland/model';
import { type IpAddress, parseAddress } from '@overland/net';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { flowEnds } from './flow-ends.ts';
import { flowFile } from './flow-file.ts';
import { flowOtlp } from './flow-otlp.ts';
import { type FlowEnd, type FlowRecord, flowRecordOf } from './flow-record.ts';
import { FlowService, type FlowServiceOptions, FlowsOffError } from './flow-service.ts';

const [CLIENT, SERVER, HOST, FAR] = ['10.65.0.1', '10.65.1.2', '192.0.2.1', '203.0.113.9'].map(
  parseAddress,
) as [IpAddress, IpAddress, IpAddress, IpAddress];

const FLOW: JudgedFlow = {
  verdict: 'deny',
  source: CLIENT,
  destination: SERVER,
  protocol: 6,
  destinationPort: 443,
  began: 0,
  ended: 0,
  packets: 3,
  octets: 180,
  answerPackets: 0,
  answerOctets: 0,
  firstAt: Date.UTC(2030, 0, 1),
  lastAt: Date.UTC(2030, 0, 1, 0, 0, 2),
  judgements: [
    {
      direction: 'egress',
      endpoint: 'prod/client',
      action: 'deny',
      tier: 'default',
      list: 'NetworkPolicy prod/no-web',
      rule: 0,
      reason: undefined,
    },
  ],
};

const ENDS = new Map<IpAddress, FlowEnd>([
  [CLIENT, { kind: 'workload', name: 'prod/client', node: 'h1', labels: { app: 'client' } }],
]);

const RECORD = flowRecordOf(FLOW, { id: 7, node: 'h1', ends: ENDS });

function service(given: Partial<FlowServiceOptions> = {}) {
  let waiting: JudgedFlow[] = [];
  let judged: JudgedFlow[] = [];
  const sources = {
    start: vi.fn(async () => undefined),
    stop: vi.fn(async () => undefined),
    take: async () => {
      judged = waiting;
      waiting = [];
      return { flows: judged, untold: 2, overruns: 1 };
    },
    describe: async () => ({ flows: judged, ends: ENDS }),
  };
  const flows = new FlowService({
    node: 'h1',
    sources,
    sinks: [],
    collect: 'on-demand',
    intervalMs: 10_000,
    log: pino({ level: 'silent' }),
    ...given,
  });
  onTestFinished(() => flows[Symbol.asyncDispose]());
  return { flows, sources, happens: (flow: JudgedFlow) => waiting.push(flow) };
}

test('a record says who, to whom, what, and which rule decided', () => {
  expect(RECORD).toEqual({
    id: 7,
    node: 'h1',
    from: '2030-01-01T00:00:00.000Z',
    until: '2030-01-01T00:00:02.000Z',
    verdict: 'deny',
    source: {
      kind: 'workload',
      name: 'prod/client',
      node: 'h1',
      labels: { app: 'client' },
      address: CLIENT,
    },
    destination: { kind: 'address', address: SERVER, port: 443 },
    protocol: 'TCP',
    began: 0,
    ended: 0,
    packets: 3,
    octets: 180,
    answerPackets: 0,
    answerOctets: 0,
    reasons: [
      {
        direction: 'egress',
        endpoint: 'prod/client',
        action: 'deny',
        tier: 'default',
        policy: 'NetworkPolicy prod/no-web',
        rule: 1,
      },
    ],
  });
});

test('what staged policies would deny is in the record, and counted by policy', async () => {
  const [given] = FLOW.judgements;
  if (!given) throw new Error('no judgement');
  const staged = { ...given, list: 'StagedNetworkPolicy prod/web', rule: 2 };
  const { flows, happens } = service();
  const judgements = [{ ...given, action: 'allow' as const, staged }];
  happens({ ...FLOW, verdict: 'allow', began: 4, judgements });
  const page = await flows.read({ after: 0, waitMs: 20_000 });
  expect(page.records[0]?.reasons[0]?.staged).toMatchObject({
    action: 'deny',
    policy: 'StagedNetworkPolicy prod/web',
    rule: 3,
  });
  const metric = flows
    .metrics()
    .find(({ name }) => name === 'overland_staged_denied_connections_total');
  expect(metric?.samples).toEqual([
    { labels: { policy: 'StagedNetworkPolicy prod/web' }, value: 4 },
  ]);
});

test('nothing is collected until somebody asks, and who waits is told', async () => {
  const { flows, sources, happens } = service();
  expect(sources.start).not.toHaveBeenCalled();
  happens(FLOW);
  const page = await flows.read({ after: 0, waitMs: 20_000 });
  expect(page).toMatchObject({
    records: [{ id: 1, verdict: 'deny' }],
    next: 1,
    lost: 0,
    untold: 2,
  });
  expect(await flows.read({ after: 0, waitMs: 0, verdict: 'allow' })).toMatchObject({
    records: [],
  });
});

test('with a sink it is collected always; a sink that fails costs the others nothing', async () => {
  const written: FlowRecord[] = [];
  const { happens, sources } = service({
    sinks: [
      { write: () => Promise.reject(new Error('full')) },
      { write: async (records) => void written.push(...records) },
    ],
  });
  happens(FLOW);
  await vi.waitFor(() => expect(written).toHaveLength(1));
  expect(sources.stop).not.toHaveBeenCalled();
});

test('where flows are not to be collected, whoever asks is told', async () => {
  const { flows } = service({ collect: 'never' });
  await expect(flows.read({ after: 0, waitMs: 0 })).rejects.toThrow(FlowsOffError);
});

function resource(kind: string, metadata: object, spec: object): AnyResource {
  return completeResource(
    parseManifest({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec }),
  );
}

test('ends are workloads by the names that people have for them, hosts, and network sets', () => {
  const node = resource('Node', { name: 'h1' }, { bgp: { ipv4Address: `${HOST}/24` } });
  const holders = new Map([
    [SERVER, { key: 'WorkloadEndpoint prod/h--2-k8s-web--1-eth0', labels: { app: 'web' } }],
    [HOST, { key: 'GlobalNetworkSet rack', labels: {} }],
    [FAR, { key: 'NetworkSet prod/office', labels: {} }],
  ]);
  const addresses = new Set([SERVER, HOST, FAR, CLIENT]);
  expect(Object.fromEntries(flowEnds(addresses, holders, [node as never]))).toEqual({
    [SERVER]: { kind: 'workload', name: 'prod/web-1', node: 'h-2', labels: { app: 'web' } },
    [HOST]: { kind: 'host', name: 'h1' },
    [FAR]: { kind: 'network-set', name: 'prod/office' },
  });
});

test('a file gets a line each, is for root only, and does not grow without end', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'flows-'));
  const path = join(directory.path, 'log', 'flows.ndjson');
  const sink = flowFile(path, 100);
  await sink.write([RECORD, RECORD]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(
    (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([RECORD, RECORD]);
  await sink.write([{ ...RECORD, id: 8 }]);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ id: 8 });
  expect((await readFile(`${path}.1`, 'utf8')).trim().split('\n')).toHaveLength(2);
});

test('a collector gets logs in OTLP; one that refuses is an error', async () => {
  const bodies: unknown[] = [];
  const paths: (string | undefined)[] = [];
  let status = 200;
  await using server = createServer(async (request, response) => {
    paths.push(request.url);
    bodies.push(await json(request));
    response.writeHead(status).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sink = flowOtlp(new URL(`http://127.0.0.1:${port}`));
  await sink.write([RECORD]);
  expect(paths).toEqual(['/v1/logs']);
  expect(bodies).toMatchObject([
    {
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                {
                  timeUnixNano: `${FLOW.lastAt}000000`,
                  severityText: 'WARN',
                  body: { stringValue: 'deny TCP prod/client to 10.65.1.2:443' },
                  attributes: expect.arrayContaining([
                    { key: 'destination.port', value: { intValue: '443' } },
                    { key: 'overland.policy', value: { stringValue: 'NetworkPolicy prod/no-web' } },
                  ]),
                },
              ],
            },
          ],
        },
      ],
    },
  ]);
  status = 503;
  await expect(sink.write([RECORD])).rejects.toThrow('HTTP status 503');
});
