/** GraphiQL as a page: everything in it, so that it works without a network. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { graphiqlTabs } from './graphql/graphiql.ts';

/**
 * A browser that opens the address, and not a client that happens to accept anything. With a query in the address too: GraphiQL
 * writes it there, and shows it again after a reload.
 */
export function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/** GraphiQL leaves its tabs displaced by an unfinished animation, and hides that until one has the focus: the tab jumps away under the first click. */
const steadyTabs = '<style>.graphiql-tab { transform: none !important }</style>';

/** GraphiQL with everything in one page of 9 MB: compressed once, and not sent again to a browser that has it. */
export function createGraphiQLPage({ withKeys }: { withKeys: boolean }) {
  let made: Promise<{ page: Buffer; compressed: Buffer; etag: string }> | null = null;

  async function make() {
    const rendered = renderGraphiQL({
      title: 'Winnow',
      // Headers that are given in a tab go out with requests, not into a WebSocket's connection parameters.
      subscriptionsProtocol: withKeys ? 'SSE' : 'WS',
      defaultTabs: graphiqlTabs,
    });
    const page = Buffer.from(rendered.replace('</head>', () => `${steadyTabs}</head>`));
    const compressed = await promisify(gzip)(page);
    const etag = `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`;
    return { page, compressed, etag };
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    made ??= make();
    const { page, compressed, etag } = await made;
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      etag,
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    };
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, headers).end();
    } else if ((request.headers['accept-encoding'] ?? '').includes('gzip')) {
      response.writeHead(200, { ...headers, 'content-encoding': 'gzip' }).end(compressed);
    } else {
      response.writeHead(200, headers).end(page);
    }
  };
}
