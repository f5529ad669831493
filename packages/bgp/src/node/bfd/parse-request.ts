import { type IpAddress, isAddress, parseAddress } from '@overland/net';
import { z } from 'zod';
import type { BfdPeer } from './bfd-peer.ts';
import type { BfdRequest } from './messages.ts';

const intervalUs = z.int().min(1000).max(0xffff_ffff);
const address = z
  .string()
  .refine(isAddress)
  .transform((text): IpAddress => parseAddress(text));

const bfdPeer = z.object({
  peer: address,
  device: z.string().min(1).max(15).optional(),
  localAddress: address.optional(),
  multihop: z.boolean(),
  minTtl: z.int().min(1).max(255).optional(),
  settings: z.object({
    transmitIntervalUs: intervalUs,
    receiveIntervalUs: intervalUs,
    detectMultiplier: z.int().min(1).max(255),
    passive: z.boolean(),
  }),
});

const request = z.discriminatedUnion('type', [
  z.object({ type: z.literal('declare'), client: z.string().min(1), sessions: z.array(bfdPeer) }),
  z.object({ type: z.literal('status') }),
]);

/** @returns The request, or what is wrong with it. */
export function parseRequest(line: string): BfdRequest | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  const parsed = request.safeParse(json);
  if (!parsed.success) return z.prettifyError(parsed.error);
  const { data } = parsed;
  if (data.type === 'status') return data;
  return { ...data, sessions: data.sessions.map(withoutUndefined) };
}

function withoutUndefined(peer: z.infer<typeof bfdPeer>): BfdPeer {
  const { device, localAddress, minTtl, ...rest } = peer;
  return {
    ...rest,
    ...(device === undefined ? {} : { device }),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(minTtl === undefined ? {} : { minTtl }),
  };
}
