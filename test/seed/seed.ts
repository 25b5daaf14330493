/**
 * `npm run seed`: ten batches in all states that last, over the public API of a running server.
 * `npm run seed -- URL KEY` names another server than the one on this machine.
 */
import { argv } from 'node:process';
import { seedBatches } from './seed-batches.ts';

const [url = 'http://127.0.0.1:4000', key] = argv.slice(2);
for (const { name, status, id } of await seedBatches(url, key)) {
  console.log(`${status.padEnd(10)} ${id} ${name}`);
}
