import { expect, test } from 'vitest';
import { parseAttachRequest, parseDetachRequest } from './api.ts';

const minimal = {
  containerId: 'c0ffee',
  interface: 'eth0',
  namespacePath: '/run/netns/web1',
  name: 'web1',
};

test('fills in what is not said', () => {
  expect(parseAttachRequest(minimal)).toEqual({
    ...minimal,
    orchestrator: 'overland',
    namespace: 'default',
    labels: {},
    profiles: ['projectcalico-default-allow'],
  });
});

test('reads addresses in any spelling', () => {
  const { addresses } = parseAttachRequest({ ...minimal, addresses: ['FD00:65:0::1'] });
  expect(addresses).toEqual(['fd00:65::1']);
});

test.each([
  [undefined, 'body: '],
  [{ ...minimal, containerId: undefined }, 'containerId: '],
  [{ ...minimal, containerId: '-x' }, 'containerId: must be letters'],
  [{ ...minimal, containerId: 'a/b' }, 'containerId: must be letters'],
  [{ ...minimal, interface: 'sixteen-letters-' }, 'interface: must be 1 to 15 characters'],
  [{ ...minimal, interface: '..' }, 'interface: '],
  [{ ...minimal, namespacePath: 'web1' }, 'namespacePath: must be an absolute path'],
  [{ ...minimal, name: 'Web' }, 'name: must be lower-case'],
  [{ ...minimal, addresses: ['10.65.0.0/26'] }, 'addresses.0: must be an IPv4 or IPv6 address'],
  [{ ...minimal, families: ['ipv5'] }, 'families.0: '],
  [{ ...minimal, nmae: 'x' }, 'nmae: is not a known field'],
])('%j is refused by field', (body, message) => {
  expect(() => parseAttachRequest(body)).toThrow(message);
});

test('names every field that is wrong', () => {
  expect(() => parseDetachRequest({ containerId: '', interface: '' })).toThrow(
    /^containerId: must be .*; interface: must be /,
  );
});
