import { connect, type Socket } from 'node:net';

/**
 * A program: a peer that misbehaves, in the way that its first argument says, towards the address that is the second, from the
 * address that is the third. It goes on until it is killed.
 */
const [way = '', target = '', from = ''] = process.argv.slice(2);

const ASN = 65_099;
const MARKER = new Array<number>(16).fill(0xff);

const message = (type: number, body: readonly number[]): Buffer => {
  const length = 19 + body.length;
  return Buffer.from([...MARKER, length >> 8, length & 255, type, ...body]);
};

const KEEPALIVE = message(4, []);
/** Version, AS number, hold time 30, identifier; IPv4 unicast and four-octet AS numbers. */
const OPEN = message(1, [
  ...[4, ASN >> 8, ASN & 255, 0, 30, 10, 9, 9, 9],
  ...[14, 2, 12, 1, 4, 0, 1, 0, 1, 65, 4, 0, 0, ASN >> 8, ASN & 255],
]);

/** An UPDATE with `count` prefixes of /24 from the n-th on, and a community of its own. */
function update(n: number, count: number): Buffer {
  const attributes = [
    ...[0x40, 1, 1, 0],
    ...[0x40, 2, 6, 2, 1, 0, 0, ASN >> 8, ASN & 255],
    ...[0x40, 3, 4, ...from.split('.').map(Number)],
    ...[0xc0, 8, 4, ...[24, 16, 8, 0].map((shift) => (n >> shift) & 255)],
  ];
  const prefixes = Array.from({ length: count }, (_, i) => {
    const number = (n + i) % PREFIXES;
    return [24, 100, number >> 8, number & 255];
  });
  return message(2, [0, 0, 0, attributes.length, ...attributes, ...prefixes.flat()]);
}

const PREFIXES = 4000;

const ENDS = { host: target, port: 179, localAddress: from };

function dial(): Socket {
  return connect(ENDS).on('error', () => undefined);
}

/** A session that keeps itself alive. */
function session(socket = dial()): Socket {
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([OPEN, KEEPALIVE]));
  const timer = setInterval(() => socket.write(KEEPALIVE), 1000);
  socket.on('close', () => clearInterval(timer));
  return socket;
}

/** Again whenever the connection is lost, and a moment later. */
function again(make: () => Socket): void {
  const begin = (): void => {
    const socket = make();
    socket.once('close', () => setTimeout(begin, 500));
  };
  begin();
}

const WAYS: Readonly<Record<string, () => void>> = {
  'stops reading': () => again(() => session().pause()),

  'reads one octet per second': () =>
    again(() => {
      const onread = { buffer: Buffer.alloc(1), callback: () => false };
      const socket = session(connect({ ...ENDS, onread }));
      const timer = setInterval(() => socket.resume(), 1000);
      return socket.on('close', () => clearInterval(timer));
    }),

  'sends one octet per second': () =>
    again(() => {
      const socket = dial().resume();
      let at = 0;
      const timer = setInterval(() => {
        socket.write(OPEN.subarray(at, at + 1));
        at += 1;
      }, 1000);
      return socket.on('close', () => clearInterval(timer));
    }),

  floods: () =>
    again(() => {
      const socket = session().resume();
      let n = 0;
      const more = (): void => {
        if (socket.destroyed) return;
        do n += 100;
        while (socket.write(update(n, 200)));
      };
      socket.on('drain', more);
      socket.once('data', () => setTimeout(more, 200));
      return socket;
    }),

  'opens 1,000 connections and says nothing': () => {
    for (let i = 0; i < 1000; i += 1) again(() => dial().resume());
  },

  'sends 4 kB of garbage': () => {
    const garbage = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 167) & 255));
    for (let i = 0; i < 10; i += 1) {
      again(() => {
        const socket = dial().resume();
        // Also where a session is, as far as it gets: the marker and a length are right.
        socket.write(
          i % 2 === 0
            ? garbage
            : Buffer.concat([OPEN, KEEPALIVE, message(2, [...garbage.subarray(0, 4077)])]),
        );
        return socket;
      });
    }
  },

  'flips every second': () =>
    again(() => {
      const socket = session().resume();
      let n = 0;
      const timer = setInterval(() => {
        for (let i = 0; i < 10; i += 1, n += 400) socket.write(update(n, 400));
        setTimeout(() => socket.destroy(), 500);
      }, 500);
      return socket.on('close', () => clearInterval(timer));
    }),
};

WAYS[way]?.();
process.stdout.write('begun\n');
