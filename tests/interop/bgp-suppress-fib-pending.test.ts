import { expect, test } from 'vitest';
import { COMPILED, startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { LEFT, RIGHT, type Side, transit } from './support/transit.ts';
import { until } from './support/until.ts';

const ROUTES = 3000;
const prefixOf = (i: number): string => `10.${100 + (i >> 8)}.${i & 255}.0/24`;

function birdAt({ asn, ours, theirs }: Side, statics: readonly string[]): string {
  return `
router id ${theirs.ipv4};
protocol device {}
protocol static { ipv4; ${statics.map((prefix) => `route ${prefix} blackhole;`).join(' ')} }
protocol bgp ours {
  local ${theirs.ipv4} as ${asn};
  neighbor ${ours.ipv4} as 65101;
  hold time 9; connect retry time 1; connect delay time 1; error wait time 1, 3;
  ipv4 { import all; export where source = RTS_STATIC; };
}
`;
}

const fileWith = (suppressFibPending: boolean): string =>
  JSON.stringify({
    asn: 65101,
    routerId: '10.0.0.5',
    suppressFibPending,
    originate: ['10.0.0.5/32'],
    defaults: { connectRetrySeconds: 1 },
    peers: [
      { address: LEFT.theirs.ipv4, asn: LEFT.asn },
      { address: RIGHT.theirs.ipv4, asn: RIGHT.asn },
    ],
  });

const prefixesIn = (text: string): string[] => text.match(/\b10\.1\d\d\.\d+\.0\/24/g) ?? [];

test('whatever BIRD hears from us, our kernel has by then', async () => {
  await using net = await transit();
  const all = Array.from({ length: ROUTES }, (_, i) => prefixOf(i));
  await using right = await startBird(net.right, birdAt(RIGHT, []));
  await using _router = await startBgpRun(net.router, fileWith(true));
  await using left = await startBird(net.left, birdAt(LEFT, all));
  /** What is told is asked for first: a route that comes in between is no fault. */
  const toldAndMissing = async (): Promise<readonly [told: number, missing: string[]]> => {
    const told = prefixesIn(await right.birdc('show route protocol ours'));
    const kernel = new Set(prefixesIn(await net.router.ip('route', 'show', 'proto', '86')));
    return [told.length, told.filter((prefix) => !kernel.has(prefix))];
  };
  await until('the right one has all', async () => {
    const [told, missing] = await toldAndMissing();
    expect(missing).toEqual([]);
    return told === ROUTES;
  });
  await left.birdc('disable static1');
  await until('and none', async () => (await toldAndMissing())[0] === 0);
  await until(
    'nor has the kernel',
    async () => (await net.router.ip('route', 'show', 'proto', '86')) === '',
  );
});

/** A process that the kernel lets write no route. */
const POWERLESS = ['setpriv', '--bounding-set', '-net_admin', ...COMPILED];

test.each([
  { suppresses: true, heard: [] },
  { suppresses: false, heard: [prefixOf(1)] },
])(
  'what our kernel refuses, BIRD hears of: $heard (suppressFibPending: $suppresses)',
  async (each) => {
    await using net = await transit();
    await using right = await startBird(net.right, birdAt(RIGHT, []));
    await using router = await startBgpRun(net.router, fileWith(each.suppresses), [], POWERLESS);
    await using _left = await startBird(net.left, birdAt(LEFT, [prefixOf(1)]));
    await until('the kernel has refused it', () => router.log.includes('kernel refused'));
    await until('what we originate is told', async () =>
      (await right.birdc('show route protocol ours')).includes('10.0.0.5/32'),
    );
    const heard = async (): Promise<string[]> =>
      prefixesIn(await right.birdc('show route protocol ours'));
    if (each.heard.length > 0) await until('it is told', async () => (await heard()).length > 0);
    expect(await heard()).toEqual(each.heard);
    const explained = await net.router.exec([
      ...COMPILED,
      ...['bgp', 'explain', prefixOf(1), '--to', RIGHT.theirs.ipv4, '--socket', router.socket],
    ]);
    if (each.suppresses) expect(explained).toContain('suppressFibPending');
    else expect(explained).not.toContain('suppressFibPending');
  },
);
