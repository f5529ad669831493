import { familyOf, type IpAddress, isLinkLocal, ParseError, parseAddress } from '@overland/net';
import { z } from 'zod';
import type { PeerConfig } from '../core/config.ts';
import { UNHEARD } from '../core/session/unnumbered.ts';
import { parsed } from './file-values.ts';

/** An address, and the interface that a link-local one is on. */
export interface ScopedAddress {
  readonly address: IpAddress;
  readonly zone?: string;
}

type Place = Pick<PeerConfig, 'address' | 'interface' | 'unnumbered'>;

const interfaceName = z.string().regex(/^[^\s/%]{1,15}$/, {
  error: (issue) => `${JSON.stringify(issue.input)} is not allowed: the name of an interface`,
});

export const scopedAddress = parsed<string, ScopedAddress>(z.string(), (text) => {
  const [before = '', zone, ...rest] = text.split('%');
  const address = parseAddress(before);
  if (zone === undefined) return { address };
  if (rest.length > 0 || !interfaceName.safeParse(zone).success) {
    throw new ParseError('IP address', text, 'the name of an interface behind %');
  }
  return { address, zone };
});

/** Where a peer is: at an address, `fe80::1%eth1` if it is link-local, or on an interface, whoever is heard there. */
export const placeFields = {
  address: scopedAddress.optional(),
  interface: interfaceName.optional(),
};

interface GivenPlace {
  readonly address?: ScopedAddress | undefined;
  readonly interface?: string | undefined;
}

/** Told along with what else is wrong with the peer. */
export const givesPlace = z.superRefine<GivenPlace>((given, context) => {
  const fault = placeFault(given);
  if (fault) context.addIssue({ code: 'custom', ...fault });
});

function placeFault({
  address: at,
  interface: device,
}: GivenPlace): { readonly path: string[]; readonly message: string } | undefined {
  if (!at) {
    return device === undefined
      ? {
          path: ['address'],
          message: 'missing: an address, or an interface for an unnumbered peer',
        }
      : undefined;
  }
  const { address, zone } = at;
  const isScoped = isLinkLocal(address) && familyOf(address) === 'ipv6';
  if (!isScoped) {
    if ((zone ?? device) === undefined) return undefined;
    const path = [zone === undefined ? 'interface' : 'address'];
    return { path, message: `only link-local addresses need an interface, ${address} does not` };
  }
  if (zone === undefined && device === undefined) {
    return {
      path: ['address'],
      message: `${address} is link-local: ${address}%INTERFACE, or interface`,
    };
  }
  return zone !== undefined && device !== undefined && zone !== device
    ? { path: ['interface'], message: `${device} is not the ${zone} of the address` }
    : undefined;
}

/** @param given Without faults. */
export function placeFrom({ address: at, interface: device = at?.zone }: GivenPlace): Place {
  const scope = device === undefined ? {} : { interface: device };
  return at ? { address: at.address, ...scope } : { address: UNHEARD, ...scope, unnumbered: true };
}
