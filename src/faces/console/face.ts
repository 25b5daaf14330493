/** GraphiQL as a face of the server: the page, which holds nothing, is open to everybody. */
import type { Face } from '../http/face.ts';
import { createGraphiQLPage, wantsPage } from './page.ts';

export function createConsoleFace({
  withKeys,
  publicUrl,
}: {
  withKeys: boolean;
  /** Where clients reach the server, if not where they ask. */
  publicUrl: string | null;
}): Face {
  const page = createGraphiQLPage({ withKeys });
  return {
    routes: [
      {
        matches: ({ url, request }) =>
          (url.pathname === '/graphql' || url.pathname === '/graphql/') && wantsPage(request),
        answer: ({ request, response, url }) =>
          page(request, response, publicUrl ?? addressOf(url)),
      },
      {
        matches: ({ url, request }) => url.pathname === '/' && request.method === 'GET',
        async answer({ response }) {
          response.writeHead(302, { location: '/graphql' }).end();
        },
      },
    ],
  };
}

/** Where a page was asked for, as it can stand in a command for a shell. */
function addressOf({ origin, host, port }: URL): string {
  // A host may have letters that a shell would read; nobody's server has such a name.
  return /^[\w.:[\]-]+$/.test(host) ? origin : `http://localhost:${port || 80}`;
}
