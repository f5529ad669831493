import { appendFile, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { FlowRecord } from './flow-record.ts';
import type { FlowSink } from './flow-service.ts';

const LIMIT_OCTETS = 64 << 20;

/**
 * Appends records to a file, a line of JSON each. Only root may read it: it says who talks to whom.
 *
 * @param limitOctets Of the file; what is there then becomes `PATH.1`, and what was that is lost.
 */
export function flowFile(path: string, limitOctets = LIMIT_OCTETS): FlowSink {
  return {
    async write(records) {
      await mkdir(dirname(path), { recursive: true });
      if ((await sizeOf(path)) >= limitOctets) await rename(path, `${path}.1`);
      await appendFile(path, records.map(line).join(''), { mode: 0o600 });
    },
  };
}

function line(record: FlowRecord): string {
  return `${JSON.stringify(record)}\n`;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
