import { expect, test } from 'vitest';
import { parseOverlandSummary } from './overland-summary.ts';
import { parseBirdProtocols } from './parse-bird-protocols.ts';
import { parseFrrSummary } from './parse-frr-summary.ts';

test('FRR 8.4: show bgp summary json', () => {
  const text = `{ "ipv4Unicast": { "routerId": "10.255.0.1", "peers": {
    "10.254.1.11": { "remoteAs": 65011, "localAs": 65000, "peerUptimeMsec": 29000, "pfxRcd": 1, "pfxSnt": 5, "state": "Established" },
    "10.254.1.13": { "remoteAs": 65012, "localAs": 65000, "peerUptimeMsec": 0, "pfxRcd": 0, "state": "Active" } } },
    "ipv6Unicast": { "peers": {} } }`;
  const base = { family: 'ipv4', localAs: 65000 };
  expect(parseFrrSummary(text)).toEqual([
    {
      ...base,
      peerAddress: '10.254.1.11',
      remoteAs: 65011,
      state: 'Established',
      received: 1,
      sent: 5,
      uptimeSeconds: 29,
    },
    {
      ...base,
      peerAddress: '10.254.1.13',
      remoteAs: 65012,
      state: 'Active',
      received: undefined,
      sent: undefined,
      uptimeSeconds: undefined,
    },
  ]);
  expect(parseFrrSummary('{}')).toEqual([]);
});

// Lines that we do not read are left out.
const BIRD = `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     07:00:34.699  

kernel1    Kernel     master4    up     07:00:34.699  
  Channel ipv4
    Routes:         0 imported, 5 exported, 0 preferred

spine1_ipv6 BGP        ---        up     07:00:39.123  Established   
  BGP state:          Established
    Neighbor address: fd00:254:1::10
    Neighbor AS:      65000
    Local AS:         65011
  Channel ipv6
    State:          UP
    Routes:         4 imported, 2 exported, 4 preferred
    BGP Next hop:   10.254.1.11

host11_ipv4 BGP        ---        start  07:00:34.699  Active        Socket: Connection refused
  BGP state:          Active
    Neighbor address: 10.254.11.11
    Neighbor AS:      65101
    Local AS:         65011
  Channel ipv4
    State:          DOWN

`;

test('BIRD 2.0.12: show protocols all', () => {
  expect(parseBirdProtocols(BIRD, new Date(2026, 10, 24, 7, 1, 9))).toEqual([
    {
      family: 'ipv6',
      peerAddress: 'fd00:254:1::10',
      localAs: 65011,
      remoteAs: 65000,
      state: 'Established',
      received: 4,
      sent: 2,
      uptimeSeconds: 30,
    },
    {
      family: 'ipv4',
      peerAddress: '10.254.11.11',
      localAs: 65011,
      remoteAs: 65101,
      state: 'Active',
      received: undefined,
      sent: undefined,
      uptimeSeconds: undefined,
    },
  ]);
});

test('BIRD: a session that came up before midnight', () => {
  const [session] = parseBirdProtocols(BIRD, new Date(2026, 10, 25, 0, 0, 39));
  expect(session?.uptimeSeconds).toBe(17 * 3600);
});

test('Overland: GET /v1/bgp/summary; a family that was not negotiated is not up', () => {
  const peer = {
    place: '10.254.11.10',
    asn: 65011,
    localAsn: 65101,
    families: ['ipv4', 'ipv6'],
    state: 'Established',
    upDownSeconds: 7,
    prefixesReceived: { ipv4: 12, ipv6: 0 },
    prefixesSent: { ipv4: 2, ipv6: 0 },
    session: { families: ['ipv4'] },
  };
  const base = { peerAddress: '10.254.11.10', localAs: 65101, remoteAs: 65011 };
  const nothing = { received: undefined, sent: undefined, uptimeSeconds: undefined };
  expect(parseOverlandSummary(JSON.stringify({ peers: [peer] }))).toEqual([
    { ...base, family: 'ipv4', state: 'Established', received: 12, sent: 2, uptimeSeconds: 7 },
    { ...base, family: 'ipv6', state: 'NoNeg', ...nothing },
  ]);
  const down = { ...peer, families: ['ipv4'], state: 'Connect', session: null };
  expect(parseOverlandSummary(JSON.stringify({ peers: [down] }))).toEqual([
    { ...base, family: 'ipv4', state: 'Connect', ...nothing },
  ]);
  const unheard = { ...down, place: 'eth1', asn: null };
  expect(parseOverlandSummary(JSON.stringify({ peers: [unheard] }))).toMatchObject([
    { peerAddress: 'eth1', remoteAs: 0 },
  ]);
});
