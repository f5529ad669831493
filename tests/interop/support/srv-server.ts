import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const NOT_FOUND = 3;

/**
 * A DNS server that knows some SRV records and is the only one this machine asks, until it leaves scope. Needs a mount
 * namespace of its own.
 *
 * @param records Targets by name: `{ '_etcd-client._tcp.example.org': ['localhost:2379'] }`. May be changed meanwhile.
 */
export async function serveSrv(
  records: Readonly<Record<string, readonly string[]>>,
): Promise<AsyncDisposable> {
  const socket = createSocket('udp4').bind(53, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (query, { port, address }) => {
    socket.send(answerTo(query, records), port, address);
  });
  const directory = await mkdtemp(join(tmpdir(), 'overland-dns-'));
  const file = join(directory, 'resolv.conf');
  await writeFile(file, 'nameserver 127.0.0.1\n');
  await run('mount', ['--bind', file, '/etc/resolv.conf']);
  return {
    async [Symbol.asyncDispose]() {
      await run('umount', ['/etc/resolv.conf']);
      await rm(directory, { recursive: true });
      socket.close();
    },
  };
}

/** RFC 1035 section 4.1: the question again, then the records. */
function answerTo(query: Buffer, records: Readonly<Record<string, readonly string[]>>): Buffer {
  const end = query.indexOf(0, 12) + 5;
  const targets = records[nameAt(query, 12)] ?? [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | (targets.length > 0 ? 0 : NOT_FOUND), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(targets.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...targets.map(srvRecord)]);
}

/** RFC 2782: priority, weight, port, target; under the name of the question, for no time at all. */
function srvRecord(target: string): Buffer {
  const [host = '', port] = target.split(':');
  const name = host.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  const data = Buffer.from([0, 10, 0, 100, 0, 0, ...name, 0]);
  data.writeUInt16BE(Number(port), 4);
  const fixed = Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 0, 0, 0]);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}

function nameAt(message: Buffer, offset: number): string {
  const labels: string[] = [];
  let at = offset;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return labels.join('.').toLowerCase();
}
