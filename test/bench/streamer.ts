/** A provider that streams: the first words at once, the rest after a while. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const restAfterMs = 50;

const chunk = (delta: object, finish_reason: string | null = null) =>
  `data: ${JSON.stringify({
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_750_000_000,
    model: 'model',
    choices: [{ index: 0, delta, finish_reason }],
  })}\n\n`;

const server = createServer((incoming, response) => {
  incoming.resume();
  incoming.on('end', () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ role: 'assistant', content: 'The' }));
    setTimeout(() => {
      const rest = Array.from({ length: 50 }, () => chunk({ content: ' next' }));
      response.end(`${rest.join('')}${chunk({}, 'stop')}data: [DONE]\n\n`);
    }, restAfterMs);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
