/**
 * Reads all records of a batch with the client, and prints how many milliseconds that took: by the
 * clock, and of CPU.
 */
import { Winnow } from '../../src/client/index.ts';

const [url = '', id = '', expected = ''] = process.argv.slice(2);

const batch = await new Winnow({ url }).batches.get(id);
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
const records = await batch.getOutput('records');
const ms = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpuBefore);
if (records.length !== Number(expected) || records.some(({ usage }) => usage === null)) {
  throw new Error(`${records.length} records of ${expected} items`);
}
process.stdout.write(`${ms} ${(user + system) / 1_000}\n`);
