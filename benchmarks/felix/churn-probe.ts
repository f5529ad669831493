import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';

// One end of the probe of `churn.ts`, in a network namespace of its own. `send` probes each address of its input, at both ports,
// for a while; `listen` counts which addresses were reached at which port, and says so when its input ends.

const OPEN = Number(process.argv[3]);
const CLOSED = Number(process.argv[4]);
const PROBED_MS = 1500;
const PERIOD_MS = 5;
/** Each pause is so much longer than the one before: what matters is the begin, and the machine has other work. */
const SLOWER = 1.3;

if (process.argv[2] === 'send') send();
else listen();

function send(): void {
  const socket = createSocket('udp4');
  // A port that nobody listens on, a host that does not know the way: that is what is looked for.
  socket.on('error', () => undefined);
  const probed = new Map<string, { readonly until: number; due: number; pause: number }>();
  const timer = setInterval(() => {
    const now = performance.now();
    for (const [address, probe] of probed) {
      if (now > probe.until) probed.delete(address);
      if (now < probe.due) continue;
      probe.pause *= SLOWER;
      probe.due = now + probe.pause;
      for (const port of [CLOSED, OPEN]) socket.send(address, port, address, () => undefined);
    }
  }, PERIOD_MS);
  createInterface(process.stdin)
    .on('line', (address) => {
      const now = performance.now();
      probed.set(address, { until: now + PROBED_MS, due: now, pause: PERIOD_MS });
    })
    .on('close', () => {
      clearInterval(timer);
      socket.close();
    });
}

function listen(): void {
  const [open, closed] = [OPEN, CLOSED].map((port) => {
    const reached = new Set<string>();
    const socket = createSocket('udp4').on('message', (text) => reached.add(text.toString()));
    socket.bind(port);
    return { reached, socket };
  });
  process.stdin.resume().on('end', () => {
    const counts = { open: open?.reached.size, closed: closed?.reached.size };
    process.stdout.write(`${JSON.stringify(counts)}\n`, () => process.exit());
  });
}
