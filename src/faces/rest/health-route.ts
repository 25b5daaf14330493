import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Database } from '../../db/driver/client.ts';
import { RouteError } from '../http/route-error.ts';

/** The answer comes within this time: a load balancer has limits of its own. */
const patienceMs = 2_000;

/** `GET /health`: 200 while this process can work, 503 without a database. Needs no key. */
export async function answerHealth(
  request: IncomingMessage,
  response: ServerResponse,
  { sql }: Pick<Database, 'sql'>,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    throw new RouteError(405, 'METHOD_NOT_ALLOWED', 'The health can only be read: GET');
  }
  const answered = await Promise.race([
    sql`select 1`.then(
      () => true,
      () => false,
    ),
    new Promise<false>((resolve) => setTimeout(resolve, patienceMs, false).unref()),
  ]);
  response.writeHead(answered ? 200 : 503, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(answered ? {} : { 'retry-after': '5' }),
  });
  const body = { status: answered ? 'ok' : 'the database does not answer' };
  response.end(request.method === 'HEAD' ? undefined : `${JSON.stringify(body)}\n`);
}
