import type { TestNamespace } from '@overland/linux/testing';
import { startBird } from './bird.ts';
import { API, startExabgp } from './exabgp.ts';
import { OURS, THEIRS } from './fabric.ts';
import { startFrr } from './frr.ts';
import { startGobgp } from './gobgp.ts';
import { startOpenbgpd } from './openbgpd.ts';

/** How a peer on the link of `fabric` or `transit` is to behave; IPv4 alone, AS 65011. */
interface PeerOptions {
  /** What it takes us for. */
  readonly us?: number;
  readonly hold?: number;
  readonly passive?: boolean;
  readonly gtsm?: boolean;
  readonly key?: string;
  /** It takes whoever dials from the link. */
  readonly range?: boolean;
  /** It announces no capabilities. */
  readonly plain?: boolean;
  /** It writes its optional parameters in the extended form. */
  readonly extendedParameters?: boolean;
  /** Most prefixes that it takes. */
  readonly limit?: number;
  /** Prefixes that it offers; with `loop` our AS number is in their AS_PATH, which OpenBGPD cannot do. */
  readonly offers?: readonly string[];
  readonly loop?: boolean;
  /** What it offers has the route target 65011:7; not BIRD and FRR, which have files of their own. */
  readonly target?: boolean;
}

/** A peer under test. */
interface AnyPeer extends AsyncDisposable {
  /** What it has of a prefix from us, as it prints it; with the AS_PATH in it. */
  routeOf(prefix: string): Promise<string>;
}

type Start = (namespace: TestNamespace, options?: PeerOptions) => Promise<AnyPeer>;

const lines = (...given: readonly (string | false | undefined)[]): string =>
  given.filter((line) => line !== false && line !== undefined).join('\n');

const LINK = '10.1.0.0/31';

const bird: Start = async (namespace, options = {}) => {
  const { us = 65101, hold = 3, offers = [], key } = options;
  const running = await startBird(
    namespace,
    lines(
      `router id ${THEIRS.ipv4};`,
      'protocol device {}',
      `protocol static { ipv4; ${offers.map((prefix) => `route ${prefix} blackhole;`).join(' ')} }`,
      'protocol bgp host {',
      `local ${THEIRS.ipv4} as 65011; neighbor ${OURS.ipv4} as ${us};`,
      `hold time ${hold}; connect retry time 1; connect delay time 1; error wait time 1, 2;`,
      options.passive && 'passive on;',
      options.gtsm && 'ttl security on;',
      key !== undefined && `password "${key}";`,
      `ipv4 { import all; export filter { ${options.loop ? 'bgp_path.prepend(65101);' : ''} accept; }; };`,
      '}',
    ),
  );
  return {
    routeOf: (prefix) => running.birdc(`show route ${prefix} all`),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};

const frr: Start = async (namespace, options = {}) => {
  const { us = 65101, hold = 3, offers = [], key, limit, range } = options;
  const name = range ? 'GUESTS' : OURS.ipv4;
  const running = await startFrr(
    namespace,
    lines(
      options.loop && 'route-map LOOP permit 10\n set as-path prepend 65101',
      'router bgp 65011',
      ' bgp router-id 10.0.0.1',
      ' no bgp ebgp-requires-policy',
      ' no bgp default ipv4-unicast',
      ' no bgp network import-check',
      ` timers bgp ${Math.floor(hold / 3)} ${hold}`,
      range && ' neighbor GUESTS peer-group',
      ` neighbor ${name} remote-as ${us}`,
      range ? ` bgp listen range ${LINK} peer-group GUESTS` : ` neighbor ${name} timers connect 1`,
      key !== undefined && ` neighbor ${name} password ${key}`,
      options.passive && ` neighbor ${name} passive`,
      options.gtsm && ` neighbor ${name} ttl-security hops 1`,
      options.plain && ` neighbor ${name} dont-capability-negotiate`,
      options.extendedParameters && ` neighbor ${name} extended-optional-parameters`,
      ' address-family ipv4 unicast',
      ...offers.map((prefix) => `  network ${prefix}${options.loop ? ' route-map LOOP' : ''}`),
      `  neighbor ${name} activate`,
      limit !== undefined && `  neighbor ${name} maximum-prefix ${limit}`,
      '',
    ),
  );
  return {
    routeOf: (prefix) => running.vtysh(`show bgp ipv4 unicast ${prefix}`),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};

const gobgp: Start = async (namespace, options = {}) => {
  const { us = 65101, hold = 3, offers = [], key, limit, range } = options;
  const within = (section: string, ...settings: readonly (string | false | undefined)[]): string =>
    lines(`[${range ? 'peer-groups' : 'neighbors'}.${section}]`, ...settings);
  const running = await startGobgp(
    namespace,
    lines(
      '[global.config]',
      'as = 65011',
      `router-id = "${THEIRS.ipv4}"`,
      range ? '[[peer-groups]]' : '[[neighbors]]',
      within(
        'config',
        range ? 'peer-group-name = "guests"' : `neighbor-address = "${OURS.ipv4}"`,
        `peer-as = ${us}`,
        key !== undefined && `auth-password = "${key}"`,
      ),
      within(
        'transport.config',
        `local-address = "${THEIRS.ipv4}"`,
        options.passive && 'passive-mode = true',
      ),
      options.gtsm && within('ttl-security.config', 'enabled = true', 'ttl-min = 255'),
      within(
        'timers.config',
        'connect-retry = 1',
        'idle-hold-time-after-reset = 1',
        `hold-time = ${hold}`,
        `keepalive-interval = ${Math.floor(hold / 3)}`,
      ),
      range ? '[[peer-groups.afi-safis]]' : '[[neighbors.afi-safis]]',
      within('afi-safis.config', 'afi-safi-name = "ipv4-unicast"'),
      limit !== undefined && within('afi-safis.prefix-limit.config', `max-prefixes = ${limit}`),
      range &&
        `[[dynamic-neighbors]]\n[dynamic-neighbors.config]\nprefix = "${LINK}"\npeer-group = "guests"`,
      '',
    ),
  );
  for (const prefix of offers) {
    const path = `${options.loop ? ' aspath 65101' : ''}${options.target ? ' rt 65011:7' : ''}`;
    await running.gobgp(`global rib add ${prefix} nexthop ${THEIRS.ipv4}${path}`);
  }
  return {
    routeOf: (prefix) => running.gobgp(`global rib ${prefix}`),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};

const openbgpd: Start = async (namespace, options = {}) => {
  const { us = 65101, hold = 3, offers = [], key, limit, range } = options;
  const running = await startOpenbgpd(
    namespace,
    lines(
      'AS 65011',
      `router-id ${THEIRS.ipv4}`,
      `holdtime ${hold}`,
      'connect-retry 1',
      ...offers.map(
        (prefix) => `network ${prefix}${options.target ? ' set ext-community rt 65011:7' : ''}`,
      ),
      `neighbor ${range ? LINK : OURS.ipv4} {`,
      ` remote-as ${us}`,
      ` local-address ${THEIRS.ipv4}`,
      ' announce IPv4 unicast',
      ' announce IPv6 none',
      options.plain && ' announce capabilities no',
      options.passive && ' passive',
      options.gtsm && ' ttl-security yes',
      key !== undefined && ` tcp md5sig password ${key}`,
      limit !== undefined && ` max-prefix ${limit}`,
      '}',
      'allow from any',
      'allow to any',
      '',
    ),
  );
  return {
    routeOf: (prefix) => running.bgpctl('show', 'rib', 'detail', prefix),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};

const exabgp: Start = async (namespace, options = {}) => {
  const { us = 65101, hold = 3, offers = [], key } = options;
  const path = `${options.loop ? ' as-path [65101]' : ''}${options.target ? ' extended-community [ target:65011:7 ]' : ''}`;
  const running = await startExabgp(
    namespace,
    lines(
      `neighbor ${OURS.ipv4} {`,
      `router-id ${THEIRS.ipv4}; local-address ${THEIRS.ipv4}; local-as 65011; peer-as ${us};`,
      `hold-time ${hold};`,
      options.gtsm && 'outgoing-ttl 255; incoming-ttl 255;',
      key !== undefined && `md5-password ${key};`,
      'family { ipv4 unicast; }',
      `static { ${offers.map((prefix) => `route ${prefix} next-hop self${path};`).join(' ')} }`,
      `api { processes [ ${API} ]; neighbor-changes; receive { parsed; update; } }`,
      '}',
    ),
  );
  return {
    async routeOf(prefix) {
      const heard = (await running.heard()).split('\n');
      const line = heard.findLast((text) => text.includes(`"${prefix}"`)) ?? '';
      return line.slice(line.indexOf('"message"'));
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
};

/** All of them; BIRD and FRR have files of their own, too. */
export const EACH_PEER = {
  BIRD: bird,
  FRR: frr,
  GoBGP: gobgp,
  OpenBGPD: openbgpd,
  ExaBGP: exabgp,
} as const;
