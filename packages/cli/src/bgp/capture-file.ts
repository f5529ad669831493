import { PcapngWriter, pcapngHead } from '@overland/bgp/capture';
import type { CaptureRecord } from '@overland/bgp/node';

/** A capture as a pcapng file, piece by piece. */
export class CaptureFile {
  /** By connection. */
  readonly #writers = new Map<string, PcapngWriter>();

  /** What the file begins with. */
  head(): Uint8Array {
    return pcapngHead();
  }

  packets({ stream, timeMicros, direction, octets }: CaptureRecord): Uint8Array {
    const key = JSON.stringify(stream);
    const writer = this.#writers.get(key) ?? new PcapngWriter(stream);
    this.#writers.set(key, writer);
    return writer.packets({ timeMicros, direction, octets: Buffer.from(octets, 'base64') });
  }
}
