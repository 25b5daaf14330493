/**
 * The least that can be done: a `ws` server that sends one text to everybody when it is told to.
 */
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket) => {
  // Says hello to whoever subscribes, as the other side does.
  socket.on('message', () => socket.send('{"round":-1}'));
});
server.on('listening', () => {
  process.send?.({ url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('message', (text: string) => {
  if (text === 'stop') process.exit(0);
  for (const socket of server.clients) socket.send(text);
});
