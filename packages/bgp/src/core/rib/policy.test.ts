import { parseAsn, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import {
  link,
  peerConfig,
  Speaker,
  sessionWith,
  settle,
  speakerConfig,
} from '../../../test/two-speakers.ts';
import { type UpdateText, updateOctets } from '../../../test/update-octets.ts';
import type { PeerConfig, RouteFilter, SpeakerConfig } from '../index.ts';

const FEEDER = 1;
const RECEIVER = 2;
const TOLD = 0;
const LOCAL = { asn: 65000, address: '10.1.0.254' };

interface Setup {
  readonly role?: SpeakerConfig['role'];
  readonly filters?: readonly RouteFilter[];
  readonly feeder?: Partial<PeerConfig>;
  readonly receiver?: Partial<PeerConfig>;
  readonly importSafety?: NonNullable<SpeakerConfig['importSafety']>;
  readonly originate?: readonly string[];
}

/** A speaker (AS 65000) between a feeder (65001, or its own AS) and a receiver (65002), which has a RIB, too. */
class Relay {
  readonly speaker: Speaker;
  readonly receiver = new Speaker(speakerConfig(65002));
  #setup: Setup;

  constructor(setup: Setup, { feederAsn = 65001 } = {}) {
    this.#setup = { feeder: { asn: parseAsn(feederAsn) }, ...setup };
    const config = this.#config();
    this.speaker = new Speaker(config);
    this.links(['eth1']);
    this.receiver.engine.setInterfaces([link('eth1', ['10.1.0.2/24'])]);
    for (const { engine } of [this.speaker, this.receiver]) engine.endDeferral();
    const [feeder, receiver] = config.peers as [PeerConfig, PeerConfig];
    this.speaker.engine.peerUp(sessionWith(FEEDER, feeder, LOCAL));
    this.speaker.engine.peerUp(sessionWith(RECEIVER, receiver, LOCAL));
    this.receiver.engine.peerUp(
      sessionWith(TOLD, peerConfig('10.1.0.254', 65000), { asn: 65002, address: '10.1.0.2' }),
    );
    this.speaker.plug(RECEIVER, (message) => {
      expect(this.receiver.engine.receiveUpdate(TOLD, message.subarray(19))).toBeUndefined();
    });
  }

  /** The subnet of both peers is on the first of these. */
  links([name = 'eth1']: readonly string[]): void {
    this.speaker.engine.setInterfaces([link(name, ['10.1.0.254/24'])]);
  }

  change(setup: Setup): void {
    this.#setup = { ...this.#setup, ...setup };
    this.speaker.engine.configure(this.#config());
    settle(this.speaker, this.receiver);
  }

  learn(update: UpdateText): void {
    const body = updateOctets({ nextHop: '10.1.0.1', asPath: [65001], ...update });
    expect(this.speaker.engine.receiveUpdate(FEEDER, body)).toBeUndefined();
    settle(this.speaker, this.receiver);
  }

  /** What the receiver has: `PREFIX AS … [med N]`. */
  get told(): string[] {
    return this.receiver
      .routes('ipv4')
      .flatMap(({ prefix, paths }) =>
        paths.map(({ asPath, med }) =>
          [prefix, ...asPath, ...(med === null ? [] : [`med ${med}`])].join(' '),
        ),
      );
  }

  get counters() {
    return this.speaker.engine.counters(FEEDER);
  }

  /** `PREFIX`, or `PREFIX: why it is refused`, of everything from the feeder. */
  get held(): string[] {
    return this.speaker
      .routes('ipv4')
      .flatMap(({ prefix, paths }) =>
        paths
          .filter(({ peer }) => peer !== null)
          .map(({ refused }) => (refused === null ? prefix : `${prefix}: ${refused}`)),
      );
  }

  #config(): SpeakerConfig {
    const { feeder, receiver, originate = [], ...rest } = this.#setup;
    return speakerConfig(65000, {
      ...rest,
      originate,
      peers: [
        peerConfig('10.1.0.1', 65001, { families: ['ipv4'], ...feeder }),
        peerConfig('10.1.0.2', 65002, { families: ['ipv4'], ...receiver }),
      ],
    });
  }
}

/** Prepends 65009 to what is in 10.9.0.0/17. */
const LOWER_HALF: RouteFilter = {
  name: 'lower-half',
  rules: [
    {
      match: { prefix: { prefix: parsePrefix('10.9.0.0/17'), operator: 'in' } },
      action: 'accept',
      set: { prepend: [parseAsn(65009)] },
    },
  ],
};
const NO_65003: RouteFilter = {
  name: 'no-65003',
  rules: [{ match: { asPath: { contains: [parseAsn(65003)] } }, action: 'reject' }],
};

test('prefixes of one attribute set that a filter tells apart go in messages of their own', () => {
  const prefixes = Array.from({ length: 64 }, (_, i) => `10.9.${(i % 2) * 128 + i}.0/24`);
  const relay = new Relay({ filters: [LOWER_HALF], receiver: { exportFilters: ['lower-half'] } });
  relay.learn({ announce: prefixes });
  const expected = prefixes.map((prefix) =>
    Number(prefix.split('.')[2]) < 128 ? `${prefix} 65000 65009 65001` : `${prefix} 65000 65001`,
  );
  expect(relay.told.toSorted()).toEqual(expected.toSorted());
  // Two kinds of prefixes, one attribute set: two messages, and End-of-RIB.
  expect(relay.speaker.engine.counters(RECEIVER).updatesSent).toBe(3);
});

test('the verdict on routes that are gone says nothing about those that come after them', () => {
  const relay = new Relay({ filters: [NO_65003], receiver: { exportFilters: ['no-65003'] } });
  for (let round = 0; round < 12; round += 1) {
    const other = round % 3 === 0 ? 65003 : 65004;
    relay.learn({ announce: ['10.9.0.0/24'], asPath: [65001, other] });
    expect(relay.told).toEqual(other === 65003 ? [] : ['10.9.0.0/24 65000 65001 65004']);
    relay.learn({ withdraw: ['10.9.0.0/24'] });
  }
});

test('a filter of a live session is changed without a word from the peer: its routes are kept as it sent them', () => {
  const relay = new Relay({ filters: [NO_65003, LOWER_HALF] });
  relay.learn({ announce: ['10.9.0.0/24', '10.9.200.0/24'], asPath: [65001, 65003] });
  expect(relay.told).toHaveLength(2);
  relay.change({ feeder: { importFilters: ['no-65003'] } });
  expect(relay.held).toEqual([
    '10.9.0.0/24: filter no-65003[0]',
    '10.9.200.0/24: filter no-65003[0]',
  ]);
  expect(relay.told).toEqual([]);
  expect(relay.counters).toMatchObject({ received: { ipv4: 0 }, filtered: { ipv4: 2 } });
  relay.change({ feeder: { importFilters: ['lower-half'] } });
  expect(relay.told).toEqual([
    '10.9.0.0/24 65000 65009 65001 65003',
    '10.9.200.0/24 65000 65001 65003',
  ]);
  relay.change({ feeder: { importFilters: [] } });
  expect(relay.told).toEqual(['10.9.0.0/24 65000 65001 65003', '10.9.200.0/24 65000 65001 65003']);
  expect(relay.counters).toMatchObject({ received: { ipv4: 2 }, filtered: { ipv4: 0 } });
  expect(relay.counters.updatesReceived).toBe(1);
});

test('what is kept of a peer that is down follows its filters, too', () => {
  const relay = new Relay({ filters: [NO_65003] });
  relay.learn({ announce: ['10.9.0.0/24'], asPath: [65001, 65003] });
  relay.speaker.engine.peerDown(FEEDER, ['ipv4']);
  relay.change({ feeder: { importFilters: ['no-65003'] } });
  expect(relay.told).toEqual([]);
});

test('refused paths are counted by reason and by rule', () => {
  const relay = new Relay({ filters: [NO_65003], feeder: { importFilters: ['no-65003'] } });
  relay.learn({ announce: ['10.9.0.0/24', '10.9.1.0/24'], asPath: [65001, 65003] });
  relay.learn({ announce: ['10.9.2.0/24'] });
  expect(relay.counters).toMatchObject({
    received: { ipv4: 1 },
    filtered: { ipv4: 2 },
    refused: { filter: 2 },
    refusedByRule: { 'no-65003[0]': 2 },
  });
});

test('a filter that does not exist lets nothing through', () => {
  const relay = new Relay({ feeder: { importFilters: ['absent'] } });
  relay.learn({ announce: ['10.9.0.0/24'] });
  expect(relay.held).toEqual(['10.9.0.0/24: filter absent/missing']);
  relay.change({
    feeder: {},
    receiver: { exportFilters: ['absent'] },
    originate: ['10.65.0.0/26'],
  });
  expect(relay.told).toEqual([]);
});

test('a host offers what it learned only where a rule says so', () => {
  const filters: RouteFilter[] = [
    {
      name: 'transit',
      rules: [
        {
          match: { prefix: { prefix: parsePrefix('10.9.0.0/16'), operator: 'in' } },
          action: 'accept',
        },
      ],
    },
  ];
  const relay = new Relay({ role: 'host', filters, receiver: { exportFilters: ['transit'] } });
  relay.learn({ announce: ['10.9.0.0/24', '10.8.0.0/24'] });
  expect(relay.told).toEqual(['10.9.0.0/24 65000 65001']);
});

test('no filter lets a route out that its communities keep in', () => {
  const filters: RouteFilter[] = [{ name: 'all', rules: [{ action: 'accept' }] }];
  const relay = new Relay({ filters, receiver: { exportFilters: ['all'] } });
  for (const [i, community] of [0xffff_ff01, 0xffff_ff02, 0xffff_ff03].entries()) {
    relay.learn({ announce: [`10.9.${i}.0/24`], communities: [community] });
  }
  relay.learn({ announce: ['10.9.3.0/24'] });
  expect(relay.told).toEqual(['10.9.3.0/24 65000 65001']);
});

test('an export filter can give a MED to another AS, which gets none otherwise', () => {
  const filters: RouteFilter[] = [
    { name: 'med', rules: [{ action: 'accept', set: { med: 7 } }] },
    { name: 'no-med', rules: [{ action: 'accept', set: { med: 'remove' } }] },
  ];
  const relay = new Relay({ filters });
  relay.learn({ announce: ['10.9.0.0/24'], med: 5 });
  expect(relay.told).toEqual(['10.9.0.0/24 65000 65001']);
  relay.change({ receiver: { exportFilters: ['med'] } });
  expect(relay.told).toEqual(['10.9.0.0/24 65000 65001 med 7']);
  relay.change({ receiver: { exportFilters: ['no-med'] } });
  expect(relay.told).toEqual(['10.9.0.0/24 65000 65001']);
});

test('what filters would make longer than can be kept, or sent, is refused', () => {
  const add = Array.from({ length: 500 }, (_, i) => `65000:${i}:1`);
  const filters: RouteFilter[] = [
    { name: 'grow', rules: [{ action: 'accept', set: { communities: { add } } }] },
  ];
  const relay = new Relay({ filters, receiver: { exportFilters: ['grow'] } });
  relay.learn({ announce: ['10.9.0.0/24'] });
  expect(relay.told).toEqual([]);
  relay.change({ receiver: {} });
  expect(relay.told).toEqual(['10.9.0.0/24 65000 65001']);
});

test('filters that ask for interfaces follow them', () => {
  const filters: RouteFilter[] = [
    { name: 'eth1', rules: [{ match: { interface: 'eth1' }, action: 'reject' }] },
  ];
  for (const setup of [
    { feeder: { importFilters: ['eth1'] } },
    { receiver: { exportFilters: ['eth1'] } },
  ]) {
    const relay = new Relay({ filters, ...setup });
    relay.learn({ announce: ['10.9.0.0/24'] });
    expect(relay.told).toEqual([]);
    relay.links(['eth2']);
    settle(relay.speaker, relay.receiver);
    expect(relay.told).toEqual(['10.9.0.0/24 65000 65001']);
    relay.links(['eth1']);
    settle(relay.speaker, relay.receiver);
    expect(relay.told).toEqual([]);
  }
});

test('GRACEFUL_SHUTDOWN over eBGP makes a route the last choice, unless a filter takes it away', () => {
  const bare: RouteFilter = {
    name: 'bare',
    rules: [{ action: 'accept', set: { communities: { remove: ['65535:0'] } } }],
  };
  const localPref = ({ speaker }: Relay) =>
    speaker.routes('ipv4')[0]?.paths.map((path) => path.localPref);
  const leaving = { announce: ['10.9.0.0/24'], communities: [0xffff_0000] };
  const external = new Relay({ filters: [bare] });
  external.learn(leaving);
  expect(localPref(external)).toEqual([0]);
  external.change({ feeder: { importFilters: ['bare'] } });
  expect(localPref(external)).toEqual([null]);
  const internal = new Relay({}, { feederAsn: 65000 });
  internal.learn({ ...leaving, localPref: 100 });
  expect(localPref(internal)).toEqual([100]);
});

test('graceful shutdown of a session makes its routes the last choice on both sides, after all filters', () => {
  const heavy: RouteFilter = {
    name: 'heavy',
    rules: [{ action: 'accept', set: { localPref: 300, communities: { set: ['65000:1'] } } }],
  };
  const filters = [heavy, NO_65003];
  const relay = new Relay({
    role: 'router',
    filters,
    feeder: { importFilters: ['heavy'] },
    receiver: { exportFilters: ['no-65003'], defaultOriginate: true },
  });
  relay.learn({ announce: ['10.9.0.0/24'] });
  const kept = () =>
    relay.speaker
      .routes('ipv4')
      .flatMap(({ paths }) => paths.map(({ localPref, communities }) => [localPref, communities]));
  const told = () => {
    const paths = relay.receiver.routes('ipv4').flatMap((route) => route.paths);
    return paths.map(({ communities }) => communities.join(' '));
  };
  expect([kept(), told()]).toEqual([[[300, ['65000:1']]], ['', '65000:1']]);

  const leaving = { gracefulShutdown: true };
  relay.change({ feeder: { importFilters: ['heavy'], ...leaving } });
  const marked = ['65000:1', 'GRACEFUL_SHUTDOWN'];
  expect([kept(), told()]).toEqual([[[0, marked]], ['', marked.join(' ')]]);
  relay.change({
    feeder: { importFilters: ['heavy'] },
    receiver: { exportFilters: ['no-65003'], defaultOriginate: true, ...leaving },
  });
  expect([kept(), told()]).toEqual([[[300, ['65000:1']]], ['GRACEFUL_SHUTDOWN', marked.join(' ')]]);
  relay.change({ receiver: { ...leaving } });
  expect(told()).toEqual([marked.join(' ')]);
  relay.change({ receiver: {} });
  expect(told()).toEqual(['65000:1']);
});

const CLUSTER = {
  pools: [
    { prefix: parsePrefix('10.65.0.0/16'), blockLength: 26, takesHosts: true },
    { prefix: parsePrefix('10.66.0.0/16'), blockLength: 26, takesHosts: false },
  ],
  lent: [parsePrefix('10.65.0.9/32')],
};
const OFFERED = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.65.0.0/26',
  '10.65.0.8/32',
  '10.65.0.9/32',
  '10.65.0.64/26',
  '10.65.0.64/27',
  '10.65.0.65/32',
  '10.66.0.1/32',
  '10.67.0.1/32',
];

test('import safety: nothing of ours, nothing longer than a block inside the pools, no default route', () => {
  const relay = new Relay({
    role: 'host',
    originate: ['10.65.0.0/26'],
    importSafety: CLUSTER,
    feeder: { importSafety: { defaultRoute: false, isNode: false } },
  });
  relay.learn({ announce: OFFERED });
  expect(relay.held).toEqual([
    '0.0.0.0/0: default-route',
    '10.0.0.0/8',
    '10.65.0.0/26: own-prefix',
    '10.65.0.8/32: own-prefix',
    '10.65.0.9/32',
    '10.65.0.64/26',
    '10.65.0.64/27: longer-than-block',
    '10.65.0.65/32',
    '10.66.0.1/32: longer-than-block',
    '10.67.0.1/32',
  ]);
  expect(relay.counters.refused).toEqual({
    'default-route': 1,
    'own-prefix': 2,
    'longer-than-block': 2,
  });
});

test('import safety: a node may offer parts of blocks; a default route can be asked for; own prefixes follow', () => {
  const relay = new Relay({
    importSafety: CLUSTER,
    feeder: { importSafety: { defaultRoute: true, isNode: true } },
  });
  relay.learn({ announce: OFFERED });
  expect(relay.held).toEqual(OFFERED);
  relay.change({ originate: ['10.65.0.64/26'] });
  expect(relay.held.filter((text) => text.includes(':'))).toEqual([
    '10.65.0.64/26: own-prefix',
    '10.65.0.64/27: own-prefix',
    '10.65.0.65/32: own-prefix',
  ]);
  relay.change({ originate: [] });
  expect(relay.held).toEqual(OFFERED);
  relay.change({ importSafety: { ...CLUSTER, own: [parsePrefix('10.66.0.0/26')] } });
  expect(relay.held).toContain('10.66.0.1/32: own-prefix');
});
