import { expect, test } from 'vitest';
import { layoutGraph } from './graph-layout.ts';
import type { GraphLink, GraphModel, GraphNode } from './graph-model.ts';
import { toMermaid } from './mermaid.ts';
import { toSvg } from './svg.ts';

const node = (name: string, level: number, more: Partial<GraphNode> = {}): GraphNode => ({
  name,
  level,
  group: undefined,
  recipe: 'frr',
  running: true,
  asNumber: 65000,
  loopback: '10.0.0.1',
  workloads: [],
  ...more,
});
const link = (a: string, b: string, more: Partial<GraphLink> = {}): GraphLink => ({
  a: { node: a, interface: 'eth1' },
  b: { node: b, interface: 'eth2' },
  condition: 'up',
  sessions: { ipv4: 'Established', ipv6: 'Established' },
  ...more,
});

const model: GraphModel = {
  name: 'a<b',
  nodes: [
    node('spine', 0),
    node('leaf1', 1, { group: '1' }),
    node('leaf2', 1, { group: '2', recipe: 'bird' }),
    node('host1', 2, {
      group: '1',
      recipe: 'overland',
      workloads: ['web', 'a-long-container-name'],
    }),
    node('host2', 2, { group: '2', recipe: 'overland', running: false }),
  ],
  links: [
    link('spine', 'leaf1'),
    link('spine', 'leaf2', {
      condition: 'silent',
      sessions: { ipv4: 'Active', ipv6: 'Established' },
    }),
    link('leaf1', 'host1'),
    link('leaf2', 'host2', { condition: 'down', sessions: {} }),
  ],
};

test('nodes of a level stand side by side, levels one below the other, groups apart', () => {
  const { boxes, groups, width, height } = layoutGraph(model);
  const box = (name: string) => {
    const found = boxes.get(name);
    if (!found) throw new Error(name);
    return found;
  };
  expect(box('leaf1').y).toBe(box('leaf2').y);
  expect(box('leaf1').x + box('leaf1').width).toBeLessThan(box('leaf2').x);
  expect(box('spine').y + box('spine').height).toBeLessThan(box('leaf1').y);
  const [one, two] = groups.map((group) => group.box);
  expect((one?.x ?? 0) + (one?.width ?? 0)).toBeLessThan(two?.x ?? 0);
  for (const { x, y, width: w, height: h } of [...boxes.values(), ...groups.map((g) => g.box)]) {
    expect(x).toBeGreaterThan(0);
    expect(x + w).toBeLessThan(width);
    expect(y + h).toBeLessThan(height);
  }
});

test('the picture tells the state of links and sessions, and escapes names', () => {
  const svg = toSvg(model);
  expect(svg).toContain('<title>a&lt;b</title>');
  expect(svg).toContain('4 of 5 nodes  ·  2 of 4 links up  ·  5 of 6 sessions up  ·  2 containers');
  expect(svg).toContain('spine:eth1 – leaf2:eth2: silent');
  expect(svg).toContain('ipv4 session: Active');
  expect(svg).toContain('text-decoration="line-through">4<title>');
  expect(svg).toContain('does not run');
  expect(svg.match(/<line x1/g)).toHaveLength(4);
});

test('the sessions of neighbours side by side stand between their cards', () => {
  const pair = [node('leaf1', 0), node('leaf2', 0)];
  const { boxes } = layoutGraph({ name: 'pair', nodes: pair, links: [] });
  const svg = toSvg({ name: 'pair', nodes: pair, links: [link('leaf1', 'leaf2')] });
  const pill = /<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="18"/.exec(svg);
  const [left, right] = [boxes.get('leaf1'), boxes.get('leaf2')];
  if (!pill || !left || !right) throw new Error(svg);
  expect(Number(pill[1])).toBeGreaterThan(left.x + left.width);
  expect(Number(pill[1]) + Number(pill[2])).toBeLessThan(right.x);
});

test('Mermaid: groups, labels on what is broken, its links in colour', () => {
  expect(toMermaid(model).split('\n').slice(0, 14)).toEqual([
    'flowchart TB',
    '  n_spine["<b>spine</b><br/>AS 65000<br/>10.0.0.1"]:::frr',
    '  subgraph rackn_1 ["rack 1"]',
    '    n_leaf1["<b>leaf1</b><br/>AS 65000<br/>10.0.0.1"]:::frr',
    '    n_host1["<b>host1</b><br/>AS 65000<br/>10.0.0.1<br/>web · a-long-container-name"]:::overland',
    '  end',
    '  subgraph rackn_2 ["rack 2"]',
    '    n_leaf2["<b>leaf2</b><br/>AS 65000<br/>10.0.0.1"]:::bird',
    '    n_host2["<b>host2</b><br/>AS 65000<br/>10.0.0.1"]:::gone',
    '  end',
    '  n_spine --- n_leaf1',
    '  n_spine ---|"silent<br/>BGP IPv4 Active"| n_leaf2',
    '  n_leaf1 --- n_host1',
    '  n_leaf2 ---|"down"| n_host2',
  ]);
  expect(toMermaid(model)).toContain('linkStyle 1 stroke:#d99a1c');
});

test('Mermaid: a link that is up with sessions that are not', () => {
  const sessions = { ipv4: 'Idle (Admin)', ipv6: 'Idle (Admin)' };
  const text = toMermaid({ ...model, links: [link('spine', 'leaf1', { sessions })] });
  expect(text).toContain('  n_spine ---|"BGP Idle (Admin)"| n_leaf1\n');
  expect(text).toContain('linkStyle 0 stroke:#d23b3b');
});
