import { KINDS } from '@overland/model';
import { expect, test } from 'vitest';
import { type CapturedRun, captureRun } from '../testing/captured-run.ts';

const schema = (...args: string[]): Promise<CapturedRun> => captureRun(['schema', ...args]);

test.each(['IPPool', 'ippool', 'ippools', 'pool'])('%s is understood', async (name) => {
  const { code, out, err } = await schema(name);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out)).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'IPPool',
    properties: { spec: { required: ['cidr'], properties: { cidr: { type: 'string' } } } },
  });
  expect(await schema(name, '-o', 'json')).toEqual({ code, out, err });
});

test('fields for people: defaults, what is required, rules between fields', async () => {
  const { out } = await schema('pool', '-o', 'table');
  expect(out).toMatch(/^FIELD +TYPE +DEFAULT +MUST BE +MEANING$/m);
  expect(out).toMatch(/^spec\.cidr \* +string +a prefix +The range\.$/m);
  expect(out).toMatch(/^spec\.nodeSelector +string +"all\(\)" +a selector/m);
  expect(out).toMatch(/^spec\.ipipMode must be Never: Overland routes/m);
});

test('without a kind: the list of kinds', async () => {
  const { code, out } = await schema();
  expect(code).toBe(0);
  expect(out).toMatch(/^KIND +PLURAL +ALSO CALLED +SCOPE$/m);
  expect(out).toMatch(/^NetworkPolicy +networkpolicies .*namespace$/m);
  const listed = JSON.parse((await schema('-o', 'json')).out) as { kind: string }[];
  expect(listed.map(({ kind }) => kind)).toEqual(Object.keys(KINDS));
});

test('an unknown kind is exit code 2, with the nearest one', async () => {
  expect(await schema('bgppers')).toEqual({
    code: 2,
    out: '',
    err: 'overland: there is no kind bgppers; did you mean bgppeers?\noverland: overland schema lists the kinds\n',
  });
});
