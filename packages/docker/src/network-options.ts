import { z } from 'zod';
import { parsed } from './protocol.ts';
import { RefusalError } from './refusal.ts';

/** What `-o` of `docker network create` has said. */
export interface NetworkOptions {
  /** Name of the network's profile, in place of the network's own. */
  readonly name?: string;
  /** In octets. */
  readonly mtu?: number;
}

const NAME = 'overland.network';
const MTU = 'com.docker.network.driver.mtu';

const schema = z.object({
  [NAME]: z
    .string()
    .regex(
      /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
      "must be lower-case letters, digits and '-', at most 63",
    )
    .optional(),
  [MTU]: z.coerce
    .number('must be a number of octets')
    .int()
    .min(576, 'must be 576 to 65535')
    .max(65_535, 'must be 576 to 65535')
    .optional(),
});

/** @throws {RefusalError} For an option that has no meaning here: it would be thought to have worked. */
export function networkOptions(options: Readonly<Record<string, unknown>>): NetworkOptions {
  if (options['com.docker.network.internal'] === true) {
    throw new RefusalError(
      '--internal is not supported: deny the egress of the network by a GlobalNetworkPolicy',
    );
  }
  const given = options['com.docker.network.generic'] ?? {};
  const generic = parsed(z.record(z.string(), z.unknown()), given, '-o');
  for (const key of Object.keys(generic)) {
    if (key === NAME || key === MTU) continue;
    throw new RefusalError(`-o ${key} is not known: there are ${NAME} and ${MTU}`);
  }
  const { [NAME]: name, [MTU]: mtu } = parsed(schema, generic, '-o');
  return { ...(name !== undefined && { name }), ...(mtu !== undefined && { mtu }) };
}
