import { FlowCollector } from '@overland/felix/dataplane';
import { pino } from 'pino';

// Listens to flows of its network namespace as the dataplane of an agent does that shows them.

const TAKE_MS = 1000;
using collector = new FlowCollector(pino({ level: 'error' }));
collector.start();
console.log('listening');
setInterval(() => collector.take(), TAKE_MS);
await new Promise(() => undefined);
