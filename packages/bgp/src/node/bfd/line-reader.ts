import type { Socket } from 'node:net';
import { MAX_LINE_OCTETS } from './messages.ts';

/** Calls `take` with each line of a socket; one that is too long ends the connection. */
export function readLines(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(line);
    if (rest.length > MAX_LINE_OCTETS) socket.destroy();
  });
}
