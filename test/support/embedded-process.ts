/**
 * A process of its own that uses the embedded Postgres: `node --import tsx embedded-process.ts
 * <directory>`. Prints `{ url, reused }` as one line of JSON when it is ready; stops and exits when
 * its stdin ends.
 */
import { text } from 'node:stream/consumers';
import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';

const [directory = ''] = process.argv.slice(2);
const { url, reused, stop } = await startEmbeddedPostgres({ directory, durable: false });
console.log(JSON.stringify({ url, reused }));
await text(process.stdin);
await stop();
