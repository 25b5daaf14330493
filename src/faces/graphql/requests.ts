/** Checks of an HTTP request before GraphQL: media types, bodies, foreign web pages. */
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { AppError } from '../../core/errors.ts';
import type { Asking } from '../../core/log.ts';
import { compressedProblem, isCompressed } from '../http/compressed.ts';
import { preflightHeaders } from '../http/cors.ts';
import { jsonSizeProblem } from '../http/json-size.ts';
import { badRequest, presentError } from './errors.ts';
import { maxMultipartBytes, readMultipart } from './multipart.ts';

/** Bytes of a JSON body. */
export const maxBodyBytes = 16_000_000;

/**
 * Bodies are JSON in UTF-8, or forms with a file. A form on any web page can post other media types
 * without permission. JSON makes the browser ask first, and so does the header that a form must
 * have. Bytes that are not UTF-8 are refused, since a replacement would change somebody's text.
 */
export const readRequests: Plugin = {
  onRequestParse({ request, requestParser, setRequestParser }) {
    if (request.method === 'GET') {
      const parseUrl = requestParser;
      setRequestParser(async (get) => {
        try {
          return (await parseUrl?.(get)) ?? {};
        } catch {
          throw badRequest('variables and extensions in a URL must be JSON');
        }
      });
      return;
    }
    if (request.method !== 'POST') return; // 405 by Yoga
    if (isCompressed(request.headers.get('content-encoding') ?? undefined)) {
      throw badRequest(compressedProblem, 415);
    }
    const [mediaType = '', ...parameters] = (request.headers.get('content-type') ?? '')
      .toLowerCase()
      .split(';')
      .map((part) => part.trim());
    if (mediaType === 'multipart/form-data') {
      checkForm(request.headers);
      setRequestParser(async (post) => {
        const body = Buffer.from(await bytesOf(post));
        if (body.length > maxMultipartBytes) throw tooLarge(formTooLarge);
        return await readMultipart(request.headers.get('content-type') ?? '', body, readJson);
      });
      return;
    }
    const charset = parameters.find((parameter) => parameter.startsWith('charset='));
    if (mediaType !== 'application/json' || (charset && !/^charset="?utf-?8"?$/.test(charset))) {
      throw badRequest('The body must be application/json in UTF-8', 415);
    }
    setRequestParser(async (post) => readJson(await bytesOf(post)));
  },
};

async function bytesOf(post: Request): Promise<ArrayBuffer> {
  try {
    return await post.arrayBuffer();
  } catch (error) {
    // The limit of the body's bytes says so by itself; what else breaks off is a client that goes.
    throw error instanceof GraphQLError ? error : badRequest('The body ends too early');
  }
}

function checkForm(headers: Headers): void {
  if (!preflightHeaders.some((name) => headers.get(name))) {
    throw badRequest(
      `The body must be application/json, or multipart/form-data with a header that web pages cannot send without permission: ${preflightHeaders[0]}: 1`,
      415,
    );
  }
  if (Number(headers.get('content-length')) > maxMultipartBytes) throw tooLarge(formTooLarge);
}

const formTooLarge = `A multipart request must have at most ${maxMultipartBytes.toLocaleString('en')} bytes; POST /files takes larger files`;

function tooLarge(message: string): GraphQLError {
  const error = presentError(new AppError('PAYLOAD_TOO_LARGE', message));
  error.extensions.http = { status: 413 };
  return error;
}

function readJson(body: ArrayBuffer | Uint8Array): object {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    throw badRequest('The body must be valid UTF-8');
  }
  const problem = jsonSizeProblem(new Uint8Array(body));
  if (problem !== null) throw tooLarge(`The body ${problem}; POST /files takes more`);
  let params: unknown;
  try {
    params = JSON.parse(text);
  } catch {
    // Without the parser's message, which quotes the body.
    throw badRequest('The body must be valid JSON');
  }
  if (Array.isArray(params)) throw badRequest('The body must be one request, not an array');
  if (typeof params !== 'object' || params === null) {
    throw badRequest('The body must be a JSON object such as {"query": "…", "variables": {}}');
  }
  return params;
}

/** Yoga answers these with no body at all. */
export const explainNotAcceptable: Plugin = {
  onResponse({ response, setResponse, fetchAPI, serverContext }) {
    if (response.status !== 406 || response.body) return;
    const { requestId } = (serverContext as unknown as { asking: Asking }).asking;
    const message =
      'Accept must allow application/json or application/graphql-response+json for queries and mutations, and text/event-stream for subscriptions';
    setResponse(
      fetchAPI.Response.json(
        { errors: [{ message, extensions: { code: 'BAD_REQUEST', requestId } }] },
        { status: 406, headers: response.headers },
      ),
    );
  },
};
