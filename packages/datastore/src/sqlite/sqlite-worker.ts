import { parentPort, workerData } from 'node:worker_threads';
import type { ToWorker, WorkerOptions } from './protocol.ts';
import { SqliteServer } from './sqlite-server.ts';

if (!parentPort) throw new Error('this file is the entry of a worker thread');
const port = parentPort;
const server = new SqliteServer(workerData as WorkerOptions, (message) =>
  port.postMessage(message),
);
port.on('message', (message: ToWorker) => {
  server.receive(message);
  if (message.type === 'close') port.close();
});
