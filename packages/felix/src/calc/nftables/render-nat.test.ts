import { type Prefix, parsePrefix } from '@overland/net';
import { expect, test } from 'vitest';
import type { HostFilter } from '../host-filter.ts';
import { emptyPolicyState } from '../policy-change.ts';
import { renderNat } from './render-nat.ts';

const prefixes = (...texts: string[]): Prefix[] => texts.map(parsePrefix);

test('pools that overlap, and hosts in them, make elements that do not', () => {
  const host: HostFilter = {
    failsafe: { ingress: [], egress: [] },
    endpointToHost: 'Drop',
    hasFloatingAddresses: false,
    maySpoof: false,
    endpoints: [],
    outgoingNat: {
      sources: prefixes('10.65.0.0/16', '10.65.1.0/24'),
      exempt: prefixes('10.64.0.0/12', '10.65.0.0/16', '10.1.0.7', 'fd00:65::/48'),
      address: undefined,
      ports: undefined,
      interfaces: undefined,
    },
  };
  const { sets } = renderNat({ ...emptyPolicyState(), host });
  const elements = (name: string) => sets.get(name)?.elements.map(({ key }) => key);
  expect(elements('nat-sources-v4')).toEqual(['10.65.0.0/16']);
  expect(elements('nat-exempt-v4')).toEqual(['10.1.0.7', '10.64.0.0/12']);
  expect(elements('nat-exempt-v6')).toEqual(['fd00:65::/48']);
});
