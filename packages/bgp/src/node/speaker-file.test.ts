import { expect, test } from 'vitest';
import { parseSpeakerFile, SpeakerFileError } from './speaker-file.ts';

const MINIMAL = `
asn: 65011
routerId: 10.0.0.11
peers:
  - { address: 10.1.0.0, asn: 65000 }
  - { address: "fd00:1::", asn: 65000, name: spine1-v6, passive: true }
originate: [10.0.0.11/32, "fd00:11::1"]
`;

/** The faults of a file that is the minimal one with `replacement` for `line`. */
function faults(text: string): readonly string[] {
  try {
    parseSpeakerFile(text);
    return [];
  } catch (error) {
    if (!(error instanceof SpeakerFileError)) throw error;
    return error.faults;
  }
}

test('aggregates', () => {
  const file = (aggregates: string) => `${MINIMAL}\naggregates: ${aggregates}\n`;
  expect(parseSpeakerFile(MINIMAL)).not.toHaveProperty('aggregates');
  expect(
    parseSpeakerFile(
      file(
        '[{ prefix: 10.64.0.0/12 }, { prefix: fd00:64::/32, summaryOnly: true, communities: ["65000:1"] }]',
      ),
    ).aggregates,
  ).toEqual([
    { prefix: '10.64.0.0/12', summaryOnly: false },
    { prefix: 'fd00:64::/32', summaryOnly: true, communities: ['65000:1'] },
  ]);
  expect(
    faults(file('[{ prefix: 10.64.0.0/12 }, { prefix: 10.64.0.0/12 }, { prefix: 10.0.0.11/32 }]')),
  ).toEqual([
    'aggregates[1].prefix: 10.64.0.0/12 is the prefix of aggregates[0]',
    'aggregates[2].prefix: 10.0.0.11/32 is in originate, too',
  ]);
  expect(faults(file('[{ prefix: 10.64.0.0/12, communities: [x] }]'))[0]).toContain(
    'aggregates[0].communities[0]: "x" is no community',
  );
});

test('long-lived graceful restart is off unless there is a time for it', () => {
  const restart = (settings: string) =>
    parseSpeakerFile(`${MINIMAL}\ngracefulRestart: ${settings}\n`).gracefulRestart;
  expect(restart('{ restartSeconds: 60 }')).not.toHaveProperty('longLivedStaleSeconds');
  expect(restart('{ longLivedStaleSeconds: 86400 }').longLivedStaleSeconds).toBe(86_400);
  expect(faults(`${MINIMAL}\ngracefulRestart: { longLivedStaleSeconds: 16777216 }\n`)).toEqual([
    expect.stringMatching(/^gracefulRestart.longLivedStaleSeconds: .*16777215/),
  ]);
});

test('fills in what a router in a data centre wants', () => {
  const config = parseSpeakerFile(MINIMAL);
  expect(config).toMatchObject({
    asn: 65011,
    routerId: '10.0.0.11',
    role: 'router',
    listen: [
      { address: '0.0.0.0', port: 179 },
      { address: '::', port: 179 },
    ],
    multipath: { maxPaths: 16, relaxAsPath: true },
    gracefulRestart: { enabled: true, restartSeconds: 120, stalePathSeconds: 300 },
    originate: ['10.0.0.11/32', 'fd00:11::1/128'],
  });
  expect(config.peers).toEqual([
    {
      name: '10.1.0.0',
      address: '10.1.0.0',
      port: 179,
      asn: 65000,
      families: ['ipv4'],
      holdSeconds: 9,
      keepaliveSeconds: 3,
      connectRetrySeconds: 5,
      passive: false,
      allowAsIn: 0,
      asOverride: false,
      nextHop: 'auto',
      ttl: 1,
    },
    expect.objectContaining({ name: 'spine1-v6', families: ['ipv6'], passive: true }),
  ]);
});

test('defaults are for every peer, and a peer overrides them', () => {
  const { peers } = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
defaults: { holdSeconds: 3, connectRetrySeconds: 2 }
peers:
  - { address: 10.1.0.0, asn: 65000 }
  - { address: 10.1.0.2, asn: 65000, holdSeconds: 30 }
`);
  expect(peers.map((peer) => [peer.holdSeconds, peer.keepaliveSeconds])).toEqual([
    [3, 1],
    [30, 10],
  ]);
  expect(peers.map((peer) => peer.connectRetrySeconds)).toEqual([2, 2]);
});

test('an internal peer may be several hops away', () => {
  const text = MINIMAL.replace('asn: 65000 }', 'asn: 65011 }');
  expect(parseSpeakerFile(text).peers[0]?.ttl).toBe(64);
});

test.each([
  'defaults: { tcpAo: { keyFile: /k } }',
  'listenRanges: [{ prefix: 10.2.0.0/24, asn: 65000, tcpAo: true }]',
])('TCP-AO is refused with words about the kernel: %s', (line) => {
  expect(() => parseSpeakerFile(`asn: 65001\nrouterId: 10.0.0.1\n${line}`)).toThrow(
    /tcpAo: TCP-AO \(RFC 5925\) is not offered: it takes a kernel that is built with CONFIG_TCP_AO/,
  );
});

test('protection: a password or its file, and GTSM by hops', () => {
  const { peers } = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
defaults: { passwordFile: /etc/overland/bgp.key, ttlSecurity: 1 }
peers:
  - { address: 10.1.0.0, asn: 65000 }
  - { address: 10.1.0.2, asn: 65000, password: s3cret, ttlSecurity: 3 }
  - { address: 10.1.0.4, asn: 65000, ttl: 2 }
`);
  expect(peers.map(({ ttl, minTtl, password }) => ({ ttl, minTtl, password }))).toEqual([
    { ttl: 255, minTtl: 255, password: { file: '/etc/overland/bgp.key' } },
    { ttl: 255, minTtl: 253, password: { value: 's3cret' } },
    { ttl: 2, minTtl: undefined, password: { file: '/etc/overland/bgp.key' } },
  ]);
});

test('groups: the word of a peer wins, then that of its group, then the default', () => {
  const { peers } = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
defaults: { holdSeconds: 30, passwordFile: /etc/overland/bgp.key, ttlSecurity: 1 }
groups:
  spines: { asn: 65000, description: spine, holdSeconds: 9, password: s3cret, ttl: 2 }
  borders: { connectRetrySeconds: 7 }
peers:
  - { address: 10.1.0.0, group: spines }
  - { address: 10.1.0.2, group: spines, asn: 65002, holdSeconds: 3, passwordFile: /other, ttlSecurity: 2 }
  - { address: 10.1.0.4, group: borders, asn: 65004 }
  - { address: 10.1.0.6, asn: 65006 }
`);
  const told = peers.map(({ asn, description, holdSeconds, password, ttl, minTtl }) =>
    [asn, description, holdSeconds, Object.values(password ?? {})[0], ttl, minTtl].join(' '),
  );
  expect(told).toEqual([
    '65000 spine 9 s3cret 2 ',
    '65002 spine 3 /other 255 254',
    '65004  30 /etc/overland/bgp.key 255 255',
    '65006  30 /etc/overland/bgp.key 255 255',
  ]);
  expect(peers.map(({ connectRetrySeconds }) => connectRetrySeconds)).toEqual([5, 5, 7, 5]);
  expect(peers[0]).not.toHaveProperty('group');
});

test('a group that there is not, one with a fault, and a peer without AS number', () => {
  const file = (group: string, fields: string) =>
    faults(
      `asn: 1\nrouterId: 10.0.0.11\ngroups: { g: ${group} }\npeers: [{ address: 10.1.0.0${fields} }]\n`,
    );
  expect(file('{}', ', group: h, asn: 2')).toEqual([
    'peers[0].group: there is no group "h"; groups: g',
  ]);
  expect(file('{}', ', group: g')).toEqual(['peers[0].asn: missing']);
  expect(file('{ asn: 2 }', '')).toEqual(['peers[0].asn: missing']);
  expect(file('{ asn: 2 }', ', group: g')).toEqual([]);
  expect(file('{ asn: 2 }', ', group: toString, asn: 2')).toEqual([
    'peers[0].group: there is no group "toString"; groups: g',
  ]);
  expect(file('{ address: 10.1.0.1 }', ', group: g, asn: 2')).toEqual([
    'groups.g.address: unknown field',
  ]);
});

test('listen ranges, which share groups and defaults with peers', () => {
  const { listenRanges } = parseSpeakerFile(`${MINIMAL}
groups: { servers: { asn: external, holdSeconds: 3, password: s3cret } }
listenRanges:
  - { prefix: 10.2.0.0/24, group: servers, limit: 50 }
  - { prefix: "fd00:2::/64", asn: [65001, 65002], ttlSecurity: 1, families: [ipv4, ipv6] }
  - { prefix: 10.3.0.0/24, asn: internal }
`);
  const common = { passive: true, port: 179, families: ['ipv4'] };
  expect(listenRanges).toMatchObject([
    {
      prefix: '10.2.0.0/24',
      limit: 50,
      peer: { ...common, asn: 'external', holdSeconds: 3, ttl: 1 },
    },
    { limit: 100, peer: { asn: [65001, 65002], minTtl: 255, families: ['ipv4', 'ipv6'] } },
    { limit: 100, peer: { ...common, asn: 65011, ttl: 64 } },
  ]);
  expect(listenRanges?.[0]?.peer.password).toEqual({ value: 's3cret' });
  expect(parseSpeakerFile(MINIMAL)).not.toHaveProperty('listenRanges');
});

test('what a listen range may not be', () => {
  const ranges = (...lines: string[]) =>
    faults(`${MINIMAL}listenRanges: [${lines.map((line) => `{ ${line} }`).join(', ')}]\n`);
  expect(ranges('prefix: 10.2.0.0/24')).toEqual(['listenRanges[0].asn: missing']);
  expect(ranges('prefix: 10.2.0.0/24, asn: external, limit: 0')).toEqual([
    'listenRanges[0].limit: 0 is not allowed: a whole number from 1 to 10000',
  ]);
  expect(ranges('prefix: 10.2.0.0/24, asn: external, port: 1179')).toEqual([
    'listenRanges[0].port: unknown field',
  ]);
  expect(ranges('prefix: 10.2.0.0/24, asn: [65001, 65011]')).toEqual([
    'listenRanges[0].asn: 65011 is ours: not in a list',
  ]);
  expect(ranges('prefix: 10.2.0.0/24, asn: external, bfd: { strict: true }')).toEqual([
    'listenRanges[0].bfd.strict: not in a range',
  ]);
  expect(ranges('prefix: 10.2.0.0/24, asn: external, import: [none]')).toEqual([
    'listenRanges[0].import[0]: there is no filter "none"',
  ]);
  const twice = 'prefix: 10.2.0.0/24, asn: external';
  expect(ranges(twice, twice)).toEqual([
    'listenRanges[1].prefix: 10.2.0.0/24 is the prefix of listenRanges[0]',
  ]);
  expect(faults(`${MINIMAL}listen: []\nlistenRanges: [{ ${twice} }]\n`)).toEqual([
    'listenRanges: nothing listens',
  ]);
});

test('who is inside a range with a password needs one: the kernel goes by addresses alone', () => {
  const ranges = (...lines: string[]) =>
    faults(`${MINIMAL}listenRanges: [${lines.map((line) => `{ asn: external, ${line} }`)}]\n`);
  expect(ranges('prefix: 10.0.0.0/8, password: s', 'prefix: 10.2.0.0/24')).toEqual([
    'peers[0].password: missing: listenRanges[0], which holds it, has one',
    'listenRanges[1].password: missing: listenRanges[0], which holds it, has one',
  ]);
  expect(ranges('prefix: 10.0.0.0/8', 'prefix: 10.2.0.0/24, password: s')).toEqual([]);
});

test('extended messages are asked for', () => {
  const { peers } = parseSpeakerFile(`${MINIMAL}defaults: { extendedMessages: true }\n`);
  expect(peers).toMatchObject([{ extendedMessages: true }, { extendedMessages: true }]);
  expect(parseSpeakerFile(MINIMAL).peers[0]).not.toHaveProperty('extendedMessages');
});

test('interfaces that sessions and listeners stay on', () => {
  const { peers, listen } = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
defaults: { bindInterface: eth1 }
peers: [{ address: 10.1.0.0, asn: 65000 }, { address: 10.2.0.0, asn: 65000, bindInterface: eth2.10 }]
listen: [{ address: 0.0.0.0, interface: eth1 }, "::"]
`);
  expect(peers.map(({ bindInterface }) => bindInterface)).toEqual(['eth1', 'eth2.10']);
  expect(listen).toEqual([
    { address: '0.0.0.0', port: 179, interface: 'eth1' },
    { address: '::', port: 179 },
  ]);
  expect(faults(`${MINIMAL}defaults: { bindInterface: "a/b" }\n`)).toEqual([
    'defaults.bindInterface: "a/b" is not an interface name: 1 to 15 characters without space and slash',
  ]);
});

test('an AS number may be any but ours, or ours', () => {
  const [any, own] = parseSpeakerFile(
    MINIMAL.replace('asn: 65000 }', 'asn: external }').replace('asn: 65000,', 'asn: internal,'),
  ).peers;
  expect(any).toMatchObject({ asn: 'external', ttl: 1 });
  expect(own).toMatchObject({ asn: 65011, ttl: 64 });
});

test('limits of prefixes, by family', () => {
  const { peers } = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
defaults: { maxPrefixes: { ipv4: 1000 } }
peers:
  - { address: 10.1.0.0, asn: 65000 }
  - { address: 10.1.0.2, asn: 65000, maxPrefixes: { ipv6: 10, action: restart, restartSeconds: 60 } }
`);
  expect(peers.map(({ maxPrefixes }) => maxPrefixes)).toEqual([
    { most: { ipv4: 1000 }, warningPercent: 75, action: 'stop', restartSeconds: 300 },
    { most: { ipv6: 10 }, warningPercent: 75, action: 'restart', restartSeconds: 60 },
  ]);
});

test('a route reflector and its clients', () => {
  const config = parseSpeakerFile(`
asn: 65011
routerId: 10.0.0.11
role: reflector
clusterId: 1.0.0.1
clientToClient: false
peers:
  - { address: 10.1.0.0, asn: 65011, routeReflectorClient: true, nextHop: force }
  - { address: 10.1.0.2, asn: 65011 }
`);
  expect(config).toMatchObject({
    role: 'reflector',
    clusterId: '1.0.0.1',
    clientToClient: false,
    peers: [{ routeReflectorClient: true, nextHop: 'force' }, {}],
  });
  expect(parseSpeakerFile(MINIMAL)).not.toHaveProperty('clusterId');

  const client = (text: string) =>
    faults(text.replace('asn: 65000 }', 'asn: 65011, routeReflectorClient: true }'));
  expect(client(MINIMAL)).toEqual([]);
  expect(client(`${MINIMAL}role: host\n`)).toEqual([
    'peers[0].routeReflectorClient: role host reflects nothing',
  ]);
  expect(client(`${MINIMAL}clusterId: 0.0.0.0\n`)).toEqual([
    'clusterId: must be written as an IPv4 address other than 0.0.0.0',
  ]);
  expect(faults(`${MINIMAL}defaults: { routeReflectorClient: true }\n`)).toEqual([
    'peers[0].routeReflectorClient: only an iBGP peer can be a client',
    'peers[1].routeReflectorClient: only an iBGP peer can be a client',
  ]);
});

test('what the AS_PATH of a peer may be', () => {
  const knobs = 'removePrivateAs: replace, enforceFirstAs: true, allowAsSets: true';
  const { peers } = parseSpeakerFile(`${MINIMAL}defaults: { ${knobs} }\n`);
  const expected = { removePrivateAs: 'replace', enforceFirstAs: true, allowAsSets: true };
  expect(peers).toMatchObject([expected, expected]);
  expect(faults(`${MINIMAL}defaults: { removePrivateAs: true }\n`)).toHaveLength(1);
});

test('two words for one thing, and a key that the kernel does not take', () => {
  const peer = (fields: string) =>
    faults(MINIMAL.replace('asn: 65000 }', `asn: 65000, ${fields} }`));
  expect(peer('password: a, passwordFile: b')).toEqual([
    'peers[0].password: must not be set together with passwordFile',
  ]);
  expect(peer('ttl: 1, ttlSecurity: 1')).toEqual([
    'peers[0].ttl: must not be set together with ttlSecurity',
  ]);
  expect(peer(`password: ${'x'.repeat(81)}`)).toHaveLength(1);
  expect(peer('ttlSecurity: 255')).toHaveLength(1);
});

test('an AS number out of range names field, value and what is allowed', () => {
  expect(faults(MINIMAL.replace('asn: 65011', 'asn: 4294967296'))).toEqual([
    'asn: 4294967296 is not a valid AS number: expected a whole number from 1 to 4294967295, or dotted as 1.10',
  ]);
  expect(faults(MINIMAL.replace('10.1.0.0, asn: 65000', '10.1.0.0, asn: 0'))).toEqual([
    'peers[0].asn: 0 is not a valid AS number: expected a whole number from 1 to 4294967295, or dotted as 1.10',
  ]);
});

test('every fault is told at once', () => {
  expect(
    faults(`
asn: 65011
router-id: 10.0.0.11
role: spine
peers:
  - { address: 10.1.0.300, asn: 65000, holdTime: 3 }
  - { address: 10.1.0.2, holdSeconds: 2, ttl: 0 }
originate: [10.0.0.1/24]
listen: [{ address: nowhere }]
`),
  ).toEqual([
    'routerId: missing',
    'role: Invalid option: expected one of "router"|"reflector"|"host"',
    'listen[0].address: "nowhere" is not a valid IP address: expected an IPv4 or IPv6 address without a zone',
    'peers[0].address: "10.1.0.300" is not a valid IP address: expected an IPv4 or IPv6 address without a zone',
    'peers[0].holdTime: unknown field',
    'peers[1].holdSeconds: 2 is not allowed: 0 (none) or 3 to 65535',
    'peers[1].ttl: 0 is not allowed: a whole number from 1 to 255',
    'peers[1].asn: missing',
    'originate[0]: "10.0.0.1/24" is not a valid prefix: expected no bits set past the length, as in 10.0.0.0/24',
    'router-id: unknown field',
  ]);
});

test('a value of the wrong type is not called missing', () => {
  expect(faults('spine1')).toEqual(['the file: Invalid input: expected object, received string']);
  expect(faults(MINIMAL.replace('asn: 65011', 'asn: [65011]'))[0]).toMatch(/^asn: (?!missing)/);
});

test('the same peer twice is a fault', () => {
  expect(faults(MINIMAL.replace('"fd00:1::"', '10.1.0.0'))).toEqual([
    'peers[1].address: 10.1.0.0 is the address of peers[0]',
  ]);
  expect(faults(MINIMAL.replace('name: spine1-v6', 'name: 10.1.0.0'))).toEqual([
    'peers[1].name: "10.1.0.0" is the name of peers[0]',
  ]);
});

test('broken YAML is told with line and column', () => {
  expect(faults('asn: 65011\nrouterId: [10.0.0.1\npeers: []\n')[0]).toMatch(
    /^line 3, column \d+: /,
  );
  expect(faults('asn: 1\nasn: 2\n')[0]).toMatch(/^line 2, column 1: Map keys must be unique/);
});

test('an empty file is a fault', () => {
  expect(faults('')).toHaveLength(1);
});

test('several paths of a prefix (RFC 7911)', () => {
  const file = (addPath: string): string => `
asn: 65011
routerId: 10.0.0.11
peers:
  - { address: 10.1.0.0, asn: 65000, addPath: ${addPath} }
`;
  const read = (text: string) => parseSpeakerFile(file(text)).peers[0]?.addPath;
  expect(read('{ receive: true }')).toEqual({ receive: true });
  expect(read('{ send: all }')).toEqual({ receive: false, send: 'all' });
  expect(read('{ send: { best: 2 } }')).toEqual({ receive: false, send: { best: 2 } });
  expect(faults(file('{ send: few }'))).toEqual([
    'peers[0].addPath.send: "few" is not allowed: all, multipath or { best: 1 to 32 }',
  ]);
  expect(faults(file('{ send: { best: 0 } }'))).toEqual([
    'peers[0].addPath.send.best: 0 is not allowed: a whole number from 1 to 32',
  ]);
  expect(faults(file('{ receive: 1 }'))).toEqual([
    'peers[0].addPath.receive: Invalid input: expected boolean, received number',
  ]);
});

test('limits of what a peer is given', () => {
  const file = (most: string) =>
    MINIMAL.replace('asn: 65000 }', `asn: 65000, maxAdvertised: ${most} }`);
  expect(parseSpeakerFile(file('{ ipv4: 10 }')).peers[0]?.maxAdvertised).toEqual({ ipv4: 10 });
  expect(faults(file('{ ipv4: 0 }'))).toEqual([
    'peers[0].maxAdvertised.ipv4: 0 is not allowed: a whole number from 1 to 4294967295',
  ]);
});

test('shares by link bandwidth are off unless asked for', () => {
  const multipath = (text: string) =>
    parseSpeakerFile(`${MINIMAL}multipath: { maxPaths: 4${text} }\n`).multipath;
  expect(multipath('')).toEqual({ maxPaths: 4, relaxAsPath: true });
  expect(multipath(', linkBandwidth: true')).toMatchObject({ linkBandwidth: true });
});
