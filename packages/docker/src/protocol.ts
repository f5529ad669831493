import { z } from 'zod';
import { RefusalError } from './refusal.ts';

/*
 * Bodies of the calls, as far as they count: newer versions of Docker add fields. Go writes an empty list or map
 * as null.
 */

/** Of a network, endpoint: 64 hexadecimal digits, or 25 of base 36 in a swarm. */
const id = z.string().regex(/^[0-9a-z]{16,64}$/, 'must be 16 to 64 digits and lower-case letters');

const text = z.string().max(4096);
const options = z
  .record(z.string().max(1024), z.unknown())
  .nullish()
  .transform((given) => given ?? {});

const addressing = z
  .array(z.object({ AddressSpace: text.default(''), Pool: text.default('') }))
  .max(64)
  .nullish()
  .transform((given) => given ?? []);

export const createNetwork = z.object({
  NetworkID: id,
  Options: options,
  IPv4Data: addressing,
  IPv6Data: addressing,
});

export const networkOnly = z.object({ NetworkID: id });

export const createEndpoint = z.object({
  NetworkID: id,
  EndpointID: id,
  Options: options,
  Interface: z
    .object({
      Address: text.default(''),
      AddressIPv6: text.default(''),
      MacAddress: text.default(''),
    })
    .nullish()
    .transform((given) => given ?? { Address: '', AddressIPv6: '', MacAddress: '' }),
});

export const endpointOnly = z.object({ NetworkID: id, EndpointID: id });

export const join = z.object({
  NetworkID: id,
  EndpointID: id,
  SandboxKey: z.string().min(1).max(4096),
});

export const requestPool = z.object({
  Pool: text.default(''),
  SubPool: text.default(''),
  Options: options,
  V6: z.boolean().default(false),
});

export const requestAddress = z.object({
  PoolID: text.min(1),
  Address: text.default(''),
  Options: options,
});

export const releaseAddress = z.object({ PoolID: text, Address: text });

/** A port of the container that a port of the host leads to. */
export const portMap = z
  .array(
    z.object({
      Proto: z.number(),
      Port: z.int().min(1).max(65_535),
      HostIP: text.default(''),
      HostPort: z.int().min(0).max(65_535).default(0),
      HostPortEnd: z.int().min(0).max(65_535).default(0),
    }),
  )
  .max(1024)
  .nullish()
  .transform((given) => given ?? []);

/** @throws {RefusalError} Naming the field that is wrong, and what is allowed. */
export function parsed<T extends z.ZodType>(schema: T, value: unknown, what = ''): z.output<T> {
  if (value === undefined) {
    // Go has read the body when it asks a second time.
    throw new RefusalError(
      'the call has no body: Docker repeats so what it had asked an agent that ended meanwhile; try again',
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => {
    const at = [...(what === '' ? [] : [what]), ...path.map(String)].join('.');
    return `${at || 'the body'}: ${message}`;
  });
  throw new RefusalError(faults.join('; '));
}
