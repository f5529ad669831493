import type { PingEndpoint, PingResult } from '@overland/lab';
import { expect, test } from 'vitest';
import { coloursFor } from '../colours.ts';
import { PingTally, pingMatrix } from './print-pings.ts';

const endpoint = (node: string, name: string): PingEndpoint => ({
  node,
  name,
  pid: 1,
  namespace: name,
  addresses: [],
});
const web = endpoint('host11', 'web');
const db = endpoint('host21', 'db');
const app = endpoint('host21', 'app');

test('the matrix names the family that lost echoes', () => {
  const tally = new PingTally();
  const echo = (
    from: PingEndpoint,
    to: PingEndpoint,
    four: boolean,
    six: boolean,
  ): PingResult[] => [
    { from, to, family: 'ipv4', roundTripMs: four ? 0.1 : undefined },
    { from, to, family: 'ipv6', roundTripMs: six ? 0.3 : undefined },
  ];
  tally.add([...echo(web, db, true, true), ...echo(db, web, false, true)]);
  tally.add([...echo(web, app, true, false), ...echo(app, web, false, false)]);
  expect(pingMatrix([web, db, app], tally, coloursFor({}, {}))).toBe(
    [
      'FROM            1  2  3',
      'host11  web  1  ·  ●  6',
      'host21  db   2  4  ·  ?',
      'host21  app  3  ✕  ?  ·',
      '',
    ].join('\n'),
  );
  expect(tally.summary()).toBe('8 echoes, 4 lost, round trip 0.30 ms (median), 0.30 ms (longest)');
});
