/** Posts a file, in a form where one is given, and prints how many milliseconds that took. */
import { createReadStream, statSync } from 'node:fs';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [url = '', path = '', contentType = '', head = '', tail = ''] = process.argv.slice(2);

async function* body(): AsyncGenerator<Buffer> {
  yield Buffer.from(head);
  yield* createReadStream(path, { highWaterMark: 262_144 });
  yield Buffer.from(tail);
}

const startedAt = performance.now();
const length = Buffer.byteLength(head) + statSync(path).size + Buffer.byteLength(tail);
const sent = request(url, {
  method: 'POST',
  agent: false,
  headers: { 'content-type': contentType, 'content-length': length },
});
const answered = new Promise<void>((resolve, reject) => {
  sent.on('error', reject);
  sent.on('response', (response) => {
    let text = '';
    response.on('data', (piece) => {
      text += piece;
    });
    response.on('end', () =>
      (response.statusCode ?? 500) < 300 ? resolve() : reject(new Error(text)),
    );
  });
});
await pipeline(Readable.from(body()), sent);
await answered;
process.stdout.write(`${performance.now() - startedAt}\n`);
