/** Uploads a file, so many times at once, and prints how many milliseconds that took. */
import { createReadStream, statSync } from 'node:fs';
import { request } from 'node:http';
import { pipeline } from 'node:stream/promises';

const [url = '', path = '', times = '1'] = process.argv.slice(2);

async function upload(): Promise<void> {
  const sent = request(`${url}?name=${path.split('/').at(-1)}`, {
    method: 'POST',
    agent: false,
    headers: { 'content-length': statSync(path).size },
  });
  const answered = new Promise<string>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let body = '';
      response.on('data', (data) => {
        body += data;
      });
      response.on('end', () =>
        response.statusCode === 201 ? resolve(body) : reject(new Error(body)),
      );
    });
  });
  await pipeline(createReadStream(path, { highWaterMark: 262_144 }), sent);
  const { itemCount, rejectedCount } = JSON.parse(await answered) as Record<string, number>;
  if (itemCount !== Number(process.env.ROWS) || rejectedCount !== 0) {
    throw new Error(`${itemCount} rows are in, ${rejectedCount} were rejected`);
  }
}

const startedAt = performance.now();
await Promise.all(Array.from({ length: Number(times) }, upload));
process.stdout.write(`${performance.now() - startedAt}\n`);
