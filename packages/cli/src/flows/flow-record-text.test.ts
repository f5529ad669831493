import type { FlowRecord } from '@overland/agent/client';
import { parseAddress } from '@overland/net';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { flowRecordText } from './flow-record-text.ts';

const PLAIN = coloursFor({}, {});

const ALLOWED = {
  direction: 'egress',
  endpoint: 'prod/client-eth0',
  action: 'allow',
  policy: 'Profile open',
  rule: 1,
} as const;

const RECORD: FlowRecord = {
  id: 1,
  node: 'h1',
  from: '2030-01-01T00:00:00.000Z',
  until: '2030-01-01T00:00:02.000Z',
  verdict: 'allow',
  source: { kind: 'workload', name: 'prod/client', address: parseAddress('10.65.0.1') },
  destination: { kind: 'address', address: parseAddress('203.0.113.9'), port: 443 },
  protocol: 'TCP',
  began: 2,
  ended: 1,
  packets: 20,
  octets: 1234,
  answerPackets: 30,
  answerOctets: 5_600_000,
  reasons: [ALLOWED],
};

test.each<[string, Partial<FlowRecord>, string]>([
  [
    'let through by a rule',
    {},
    'allow  prod/client -> 203.0.113.9  TCP 443  2 began, 1 ended: 1.2 kB sent, 5.6 MB back  egress of prod/client-eth0: rule 1 of Profile open',
  ],
  [
    'let through, but not by what is staged',
    {
      reasons: [
        {
          ...ALLOWED,
          staged: { action: 'deny', policy: 'StagedNetworkPolicy prod/out', rule: 2 },
        },
      ],
    },
    'allow  prod/client -> 203.0.113.9  TCP 443  2 began, 1 ended: 1.2 kB sent, 5.6 MB back  egress of prod/client-eth0: rule 1 of Profile open; staged policies: denied (rule 2 of StagedNetworkPolicy prod/out)',
  ],
  [
    'dropped by the end of a tier',
    {
      verdict: 'deny',
      packets: 1,
      reasons: [
        {
          direction: 'ingress',
          endpoint: 'prod/web-eth0',
          action: 'deny',
          tier: 'default',
          reason: 'no rule matches',
        },
      ],
    },
    'deny   prod/client -> 203.0.113.9  TCP 443  1 packet dropped  ingress of prod/web-eth0: no rule matches',
  ],
  [
    'ICMP from a host, by policies that are gone',
    {
      source: { kind: 'host', name: 'h2', address: parseAddress('192.0.2.2') },
      destination: { kind: 'workload', name: 'prod/web', address: parseAddress('10.65.0.2') },
      protocol: 'ICMP',
      icmpType: 8,
      icmpCode: 0,
      began: 1,
      ended: 0,
      reasons: [],
    },
    'allow  192.0.2.2 (host h2) -> prod/web  ICMP type 8 code 0  1 began  by no policy that is in force now',
  ],
])('%s', (_name, given, text) => {
  expect(flowRecordText({ ...RECORD, ...given }, PLAIN)).toBe(`${RECORD.until}  ${text}\n`);
});
