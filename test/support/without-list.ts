import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server as if it had no GET /models: everything else goes to the one at `target`. */
export async function startWithoutList(target: string) {
  const { origin } = new URL(target);
  const server = createServer((request, response) => {
    if (request.url === '/v1/models') {
      response.writeHead(404).end();
      return;
    }
    const { method = 'GET', headers } = request;
    const onward = httpRequest(`${origin}${request.url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
