/**
 * Downloads a URL to a file, and prints how many milliseconds that took and how many bytes it was.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';

const [url = '', path = ''] = process.argv.slice(2);

const startedAt = performance.now();
const [response] = (await once(get(url, { agent: false }), 'response')) as [IncomingMessage];
if (response.statusCode !== 200) throw new Error(`the server answered ${response.statusCode}`);
const file = createWriteStream(path);
await pipeline(response, file);
process.stdout.write(`${performance.now() - startedAt} ${file.bytesWritten}\n`);
