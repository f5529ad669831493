import { expect, test } from 'vitest';
import { startBgpRun } from './support/bgp-run.ts';
import { startBird } from './support/bird.ts';
import { fabric, OURS, THEIRS } from './support/fabric.ts';
import { until } from './support/until.ts';

const FAMILIES = ['ipv4', 'ipv6'] as const;

/** BIRD ends the session at the third prefix. */
const BIRD = `
router id 10.0.0.1;
protocol device {}
${FAMILIES.map(
  (family) => `
protocol bgp on_${family} {
  local ${THEIRS[family]} as 65011;
  neighbor ${OURS[family]} as 65101;
  hold time 9; connect retry time 1; connect delay time 1;
  ${family} { import all; export none; receive limit 2 action disable; };
}`,
).join('')}
`;

test('a peer with a limit is given no prefix too many, and what waits when there is room', async () => {
  await using net = await fabric();
  await using bird = await startBird(net.leaf, BIRD);
  const speaker = (originate: readonly string[]) =>
    JSON.stringify({
      asn: 65101,
      routerId: '10.0.0.5',
      defaults: { holdSeconds: 9, connectRetrySeconds: 1, maxAdvertised: { ipv4: 2, ipv6: 2 } },
      peers: FAMILIES.map((family) => ({ name: family, address: THEIRS[family], asn: 65011 })),
      originate,
    });
  const all = FAMILIES.map((family) =>
    [0, 1, 2, 3].map((i) => (family === 'ipv4' ? `10.65.${i}.0/24` : `fd00:65:0:${i + 1}::/64`)),
  );
  await using ours = await startBgpRun(net.host, speaker(all.flat()));
  const given = async (family: 'ipv4' | 'ipv6'): Promise<string[]> => {
    const text = await bird.birdc(`show route protocol on_${family}`);
    return [...text.matchAll(/^(\S+\/\d+)/gm)].map(([prefix]) => prefix).toSorted();
  };
  for (const [i, family] of FAMILIES.entries()) {
    await until(`${family}: two of four`, async () => (await given(family)).length === 2);
    const summary = (await ours.summary()).peers.find(({ name }) => name === family);
    expect(summary?.prefixesSent[family]).toBe(2);
    expect(summary?.prefixesHeldBack[family]).toBe(2);
    expect(all[i]).toEqual(expect.arrayContaining(await given(family)));
  }
  const kept = (await given('ipv4')).slice(1);
  const gone = await given('ipv4');
  await ours.reload(speaker(all.flat().filter((prefix) => prefix !== gone[0])));
  await until('another one follows', async () => {
    const now = await given('ipv4');
    return now.length === 2 && !now.includes(gone[0] ?? '');
  });
  expect(await given('ipv4')).toEqual(expect.arrayContaining(kept));
  expect((await ours.summary()).peers.map(({ timesDropped }) => timesDropped)).toEqual([0, 0]);
});
