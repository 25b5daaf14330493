/** Serves the app: any path below /console is its page, but for the files of the bundle. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '../../../core/log.ts';
import type { Route, Visit } from '../../http/face.ts';
import { RouteError } from '../../http/route-error.ts';
import type { Asset, BundledApp } from './assets.ts';
import { loadApp, notBuilt } from './load.ts';
import { etagOf, noticeHeaders, renderIndex, renderNotice, securityHeaders } from './page.ts';

/** Time that a page waits for the bundle before it says so. */
const patienceMs = 300;
const yearSeconds = 31_536_000;

export interface AppRoutes {
  routes: readonly Route[];
  /** Bundles, so that nobody has to wait for it later. */
  prepare(): void;
}

export function createAppRoutes({
  root,
  dataDirectory,
  log,
}: {
  /** The path that the server's addresses begin with, without a slash at the end. */
  root: string;
  dataDirectory: string;
  log: Log;
}): AppRoutes {
  let loading: Promise<BundledApp | null> | null = null;
  /** A failure is tried again with the next page: a source may have been put right. */
  function load(): Promise<BundledApp | null> {
    loading ??= loadApp(dataDirectory, log).catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  }

  async function answerPage({ request, response }: Pick<Visit, 'request' | 'response'>) {
    let app: BundledApp | null | undefined;
    try {
      app = await Promise.race([load(), pause(patienceMs, undefined, { ref: false })]);
    } catch (error) {
      log.error({ err: error }, 'the console could not be bundled');
      sendNotice(response, 500, error instanceof Error ? error.message : String(error));
      return;
    }
    if (app === null) sendNotice(response, 503, notBuilt);
    else if (app === undefined) sendNotice(response, 200, 'Preparing the console …', true);
    else sendPage(request, response, renderIndex(app.entry, root));
  }

  async function answerAsset({ request, response, url }: Visit) {
    const app = await load();
    const asset = app?.assets.get(url.pathname.slice(assetsPath.length));
    if (!asset) throw new RouteError(404, 'NOT_FOUND', 'The console has no such file');
    sendAsset(request, response, asset);
  }

  return {
    routes: [
      {
        matches: ({ url, request }) => isRead(request) && url.pathname.startsWith(assetsPath),
        answer: answerAsset,
      },
      {
        matches: ({ url, request }) =>
          isRead(request) && (url.pathname === '/console' || url.pathname.startsWith('/console/')),
        answer: answerPage,
      },
    ],
    prepare() {
      // A failure is told on the page.
      load().catch(() => undefined);
    },
  };
}

const assetsPath = '/console/assets/';

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function sendPage(request: IncomingMessage, response: ServerResponse, page: string): void {
  const etag = etagOf(page);
  const headers = { ...securityHeaders, 'cache-control': 'no-cache', etag };
  if (request.headers['if-none-match'] === etag) response.writeHead(304, headers).end();
  else {
    response.writeHead(200, { ...headers, 'content-type': 'text/html; charset=utf-8' }).end(page);
  }
}

function sendNotice(response: ServerResponse, status: number, sentence: string, again = false) {
  response
    .writeHead(status, {
      ...noticeHeaders,
      'cache-control': 'no-store',
      'content-type': 'text/html; charset=utf-8',
    })
    .end(renderNotice(sentence, { again }));
}

function sendAsset(request: IncomingMessage, response: ServerResponse, asset: Asset): void {
  const { type, plain, br, gzip } = asset;
  const accepted = request.headers['accept-encoding'] ?? '';
  const [encoding, body] =
    br && /\bbr\b/.test(accepted)
      ? (['br', br] as const)
      : gzip && /\bgzip\b/.test(accepted)
        ? (['gzip', gzip] as const)
        : ([null, plain] as const);
  response
    .writeHead(200, {
      ...securityHeaders,
      'cache-control': `public, max-age=${yearSeconds}, immutable`,
      'content-type': type,
      'content-length': body.length,
      vary: 'accept-encoding',
      ...(encoding ? { 'content-encoding': encoding } : {}),
    })
    .end(body);
}
