/** Roles of a speaker in a session between two networks, by the value of the capability. RFC 9234 section 4.1. */
const ROLES = ['provider', 'rs', 'rs-client', 'customer', 'peer'] as const;

/** Role of a speaker towards its eBGP peer; `rs` is a route server. RFC 9234 section 3. */
export type BgpRole = (typeof ROLES)[number];

/** The value of the capability. */
export function roleValue(role: BgpRole): number {
  return ROLES.indexOf(role);
}

/** `undefined` for a value that means nothing. */
export function roleFrom(value: number): BgpRole | undefined {
  return ROLES[value];
}

/** The role that the other side must have. RFC 9234 section 4.2, table 2. */
export const COUNTERPART: { readonly [R in BgpRole]: BgpRole } = {
  provider: 'customer',
  customer: 'provider',
  rs: 'rs-client',
  'rs-client': 'rs',
  peer: 'peer',
};

/** Whether routes go down or sideways to who has the other role: they are marked with OTC. RFC 9234 section 5. */
export function marksOnEgress(own: BgpRole): boolean {
  return own === 'provider' || own === 'peer' || own === 'rs';
}

/** Whether what is marked with OTC must not go to who has the other role: upwards or sideways. RFC 9234 section 5. */
export function keepsMarked(own: BgpRole): boolean {
  return own === 'customer' || own === 'peer' || own === 'rs-client';
}
