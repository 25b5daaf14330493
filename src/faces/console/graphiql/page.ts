/** GraphiQL as a page: everything in it, so that it works without a network. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { graphiqlScript } from './script.ts';
import { graphiqlStyle } from './style.ts';
import { createTabs } from './tabs.ts';

const deflate = promisify(deflateRaw);

/** Header of a gzip file without a name and a time (RFC 1952). */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/**
 * True for a browser that opens the address, and not for a client that accepts anything. An address
 * with a query counts too: GraphiQL writes its query there, and shows the query again after a
 * reload.
 */
export function wantsPage({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}

/** GraphiQL, 9 MB compressed once for everybody, then its tabs, which name the clients' address. */
export function createGraphiQLPage({ withKeys }: { withKeys: () => boolean }) {
  let made: Promise<Start> | null = null;
  /** For the address that was asked for last: there is hardly ever another. */
  let end: Awaited<ReturnType<typeof makeEnd>> | null = null;

  return async (
    request: IncomingMessage,
    response: ServerResponse,
    address: string,
  ): Promise<void> => {
    made ??= makeStart();
    const start = await made;
    const asks = withKeys();
    const isSame = end?.address === address && end.asks === asks;
    const own = end && isSame ? end : await makeEnd(start, address, asks);
    end = own;
    const { etag, page, compressed, trailer } = own;
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
      const packed = [gzipHeader, start.compressed, compressed, trailer];
      send(response, { ...headers, 'content-encoding': 'gzip' }, packed);
    } else {
      send(response, headers, [start.page, page]);
    }
  };
}

type Start = Awaited<ReturnType<typeof makeStart>>;

/** The page up to the call that shows GraphiQL. */
async function makeStart() {
  const rendered = renderGraphiQL({ title: 'Winnow' });
  const end = rendered.lastIndexOf('YogaGraphiQL.renderYogaGraphiQL(');
  if (end < 0) throw new Error('GraphiQL is not shown as it was: see its renderGraphiQL');
  const page = Buffer.from(
    rendered.slice(0, end).replace('</head>', () => `${graphiqlStyle}</head>`),
  );
  return {
    page,
    // Ends at a byte, without saying that it ends: more can follow.
    compressed: await deflate(page, { finishFlush: constants.Z_FULL_FLUSH }),
    crc: crc32(page),
    hash: hash(page),
  };
}

/** The rest of the page, and what ends the gzip file of both. */
async function makeEnd(start: Start, address: string, withKeys: boolean) {
  const page = Buffer.from(renderEnd(address, withKeys));
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(page, start.crc));
  trailer.writeUInt32LE(start.page.length + page.length, 4);
  const digest = hash(Buffer.concat([start.hash, page])).toString('base64url');
  return {
    address,
    asks: withKeys,
    page,
    compressed: await deflate(page),
    trailer,
    etag: `"${digest.slice(0, 22)}"`,
  };
}

function renderEnd(address: string, withKeys: boolean): string {
  const tabs = createTabs(address);
  const hints = Object.fromEntries(tabs.map(({ name, hint }) => [name, hint]));
  const defaultTabs = tabs.map(({ query, variables }) => ({ query, variables }));
  // Who follows a link to a query sees it first, also at the first visit. GraphiQL keeps the query
  // of the address as it is edited, and no variables: those it keeps itself.
  return `YogaGraphiQL.renderYogaGraphiQL(document.querySelector('#root'), {
          title: 'Winnow',
          ...((address, tabs) => {
            const query = address.searchParams.get('query');
            if (!query) return { defaultTabs: tabs };
            const variables = address.searchParams.get('variables') ?? undefined;
            address.searchParams.delete('variables');
            history.replaceState(history.state, '', address);
            return { variables, defaultTabs: [{ query, variables }, ...tabs] };
          })(new URL(location.href), ${inScript(defaultTabs)}),
          ...(${graphiqlScript})(${inScript({ hints, withKeys })}),
        });
      </script>
    </body>
  </html>
`;
}

/** As a value of JavaScript that cannot end its script. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function hash(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function send(response: ServerResponse, headers: Record<string, string>, parts: Buffer[]): void {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  response.writeHead(200, { ...headers, 'content-length': length });
  for (const part of parts) response.write(part);
  response.end();
}
