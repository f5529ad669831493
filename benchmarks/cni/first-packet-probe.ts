import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';

// One end of the probe of `first-packet.ts`, in a container's network namespace. `echo` answers what comes; `ask` sends to the
// address of each line of its input until it is answered, and prints after how many milliseconds that was.

const PORT = 7;
const PERIOD_MS = 0.5;

if (process.argv[2] === 'echo') await echo();
else await ask();

async function echo(): Promise<void> {
  for (const type of ['udp4', 'udp6'] as const) {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.on('message', (text, { port, address }) => socket.send(text, port, address));
    const bound = once(socket, 'listening');
    socket.bind(PORT);
    await bound;
  }
  process.stdout.write('ready\n');
}

async function ask(): Promise<void> {
  // What the program itself needs for its first packets is not what is looked for.
  await echo();
  for (const address of ['127.0.0.1', '::1', '127.0.0.1', '::1']) await untilAnswered(address);
  for await (const address of createInterface(process.stdin)) {
    process.stdout.write(`${(await untilAnswered(address)).toFixed(2)}\n`);
  }
}

/** @returns Milliseconds. */
async function untilAnswered(address: string): Promise<number> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  const began = performance.now();
  let answeredMs: number | undefined;
  socket.once('message', () => {
    answeredMs = performance.now() - began;
  });
  for (let due = began; answeredMs === undefined; await setImmediate()) {
    if (performance.now() < due) continue;
    due += PERIOD_MS;
    // No way there yet, perhaps.
    socket.send('?', PORT, address, () => undefined);
  }
  socket.close();
  return answeredMs;
}
