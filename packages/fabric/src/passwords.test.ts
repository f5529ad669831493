import { expect, test } from 'vitest';
import { bgp, inputs, node, peer } from '../test/fixture.ts';
import { speakerConfigOf } from './index.ts';
import { passwordFault } from './passwords.ts';

const NODES = [
  node('host11', { ipv4Address: '10.0.0.11/24' }),
  node('host12', { ipv4Address: '10.0.0.12/24' }),
];
const REF = { secretKeyRef: { name: 'bgp-secrets', key: 'rack.1' } };

/** Each session with its password, and what is said. */
function derived(changes: Parameters<typeof inputs>[0]) {
  const { config, diagnostics } = speakerConfigOf(inputs({ nodes: NODES, ...changes }));
  return {
    passwords: Object.fromEntries(config?.peers.map((p) => [p.name, p.password]) ?? []),
    said: diagnostics.map(({ resource, reason }) => `${resource}: ${reason}`),
  };
}

test('a secret of Kubernetes is a file; that it may be missing does not make it optional', () => {
  const leaf = { peerIP: '192.0.2.1', asNumber: 1 };
  const optional = { secretKeyRef: { ...REF.secretKeyRef, optional: true } };
  const bgpPeers = [
    peer('leaf', { ...leaf, password: REF }),
    peer('other', { ...leaf, peerIP: '192.0.2.2', password: optional }),
  ];
  const file = '/secrets/bgp-secrets/rack.1';
  expect(derived({ bgpPeers })).toEqual({
    passwords: { leaf: { file }, other: { file } },
    said: [
      'BGPPeer other: password.secretKeyRef.optional: the session needs its password all the same',
    ],
  });
});

test.each([
  [{}, 'p has neither secretKeyRef, file nor value: no session is made without'],
  ...[
    { name: '..', key: 'k' },
    { name: 'a/b', key: 'k' },
    { name: '', key: 'k' },
    { name: 's', key: '../k' },
    { name: 's', key: '.' },
  ].map((secretKeyRef) => [
    { secretKeyRef },
    'p.secretKeyRef is no name of a secret and its key: no session is made without',
  ]),
] as [object, string][])('%j is no password', (password, fault) => {
  expect(passwordFault('p', password)).toBe(fault);
});

test.each([
  [REF, { file: '/secrets/bgp-secrets/rack.1' }],
  [{ file: '/etc/key' }, { file: '/etc/key' }],
  [{ value: 's3cret' }, { value: 's3cret' }],
])('the mesh has a password: %j', (nodeMeshPassword, password) => {
  expect(derived({ bgpConfigurations: [bgp({ nodeMeshPassword })] })).toEqual({
    passwords: { 'mesh/host12/ipv4': password },
    said: [],
  });
});

test('a mesh whose password has no source is not made', () => {
  expect(derived({ bgpConfigurations: [bgp({ nodeMeshPassword: {} })] })).toEqual({
    passwords: {},
    said: [
      'BGPConfiguration default: nodeMeshPassword has neither secretKeyRef, file nor value: no session is made without',
    ],
  });
});

test.each([{ password: {} }, { filters: ['nowhere'] }])(
  'a session that must not be made without %j is not made by another resource either',
  (protection) => {
    const bgpPeers = [
      peer('a-global', { peerSelector: 'all()', ...protection }),
      peer('b-node', { node: 'host11', peerIP: '10.0.0.12' }),
    ];
    const { passwords } = derived({ bgpPeers, bgpConfigurations: [bgp({})] });
    expect(passwords).toEqual({});
  },
);
