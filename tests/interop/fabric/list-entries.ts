/**
 * Prints the entries under a prefix as JSON. A program of its own, because it runs in the network of a lab node.
 *
 *   node list-entries.ts OPTIONS PREFIX      OPTIONS is JSON for openDatastore
 */
import { openDatastore } from '@overland/datastore';

const [options = '', prefix = ''] = process.argv.slice(2);
await using datastore = await openDatastore(JSON.parse(options));
const { entries } = await datastore.list(prefix);
process.stdout.write(
  JSON.stringify(Object.fromEntries(entries.map(({ key, value }) => [key, value]))),
);
