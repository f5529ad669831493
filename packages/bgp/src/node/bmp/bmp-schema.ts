import { z } from 'zod';
import type { BmpStationConfig, SpeakerConfig } from '../../core/config.ts';
import { address, whole, withoutUndefined } from '../file-values.ts';

/** Registered by nobody, and used by most: Wireshark, pmacct, OpenBMP. */
const BMP_PORT = 11_019;

/** One of `bmp` in a speaker file. */
export const bmpSchema = z
  .strictObject({
    address,
    port: whole(1, 65_535).default(BMP_PORT),
    localAddress: address.optional(),
    ribs: z
      .array(z.enum(['pre-policy', 'post-policy', 'loc-rib', 'out-pre-policy', 'out-post-policy']))
      .min(1)
      .refine((ribs) => new Set(ribs).size === ribs.length, { error: 'must name each RIB once' })
      .default(['pre-policy']),
    statisticsSeconds: whole(0, 86_400).default(60),
  })
  .transform((station): BmpStationConfig => withoutUndefined(station));

/** Stations that are there twice. */
export function bmpFaults({ bmp = [] }: SpeakerConfig): string[] {
  const ends = bmp.map((station) => `${station.address} ${station.port}`);
  return ends.flatMap((end, i) => {
    const first = ends.indexOf(end);
    return first < i ? [`bmp[${i}]: it is the same as bmp[${first}]`] : [];
  });
}
