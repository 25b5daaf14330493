/** What comes in over HTTP before it is GraphQL: media types, bodies, and what no web page may send unasked. */
import type { Plugin } from 'graphql-yoga';
import { badRequest } from './errors.ts';

/**
 * Bodies are JSON in UTF-8 and nothing else. A form on any web page can post the other types without asking first; JSON makes
 * the browser ask. Bytes that are no UTF-8 are refused: replaced, they would change somebody's text.
 */
export const readRequests: Plugin = {
  onRequestParse({ request, requestParser, setRequestParser }) {
    if (request.method === 'GET') {
      const parseUrl = requestParser;
      setRequestParser(async (get) => {
        try {
          return (await parseUrl?.(get)) ?? {};
        } catch {
          throw badRequest('variables and extensions in a URL are JSON');
        }
      });
      return;
    }
    if (request.method !== 'POST') return; // 405 by Yoga
    const [mediaType = '', ...parameters] = (request.headers.get('content-type') ?? '')
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    const charset = parameters.find((parameter) => parameter.startsWith('charset='));
    if (mediaType !== 'application/json' || (charset && !/^charset="?utf-?8"?$/.test(charset))) {
      throw badRequest('Send application/json in UTF-8', 415);
    }
    setRequestParser(async (post) => readJson(await post.arrayBuffer()));
  },
};

function readJson(body: ArrayBuffer) {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw badRequest('The body is not valid UTF-8');
  }
  let params: unknown;
  try {
    params = JSON.parse(text);
  } catch {
    // Without the parser's message, which quotes the body.
    throw badRequest('The body is not valid JSON');
  }
  if (Array.isArray(params)) throw badRequest('Send one request at a time, not an array');
  if (typeof params !== 'object' || params === null) {
    throw badRequest('The body is not a JSON object such as {"query": "…", "variables": {}}');
  }
  return params;
}

/** Yoga answers these with no body at all. */
export const explainNotAcceptable: Plugin = {
  onResponse({ response, setResponse, fetchAPI }) {
    if (response.status !== 406 || response.body) return;
    const message =
      'Queries and mutations are answered as application/json or application/graphql-response+json, subscriptions as text/event-stream';
    setResponse(
      fetchAPI.Response.json(
        { errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] },
        { status: 406, headers: response.headers },
      ),
    );
  },
};
