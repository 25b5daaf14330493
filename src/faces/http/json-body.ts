/** A JSON body, read whole, of a request that has been let in. */

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { parseKeepingNumbers } from '../../core/exact-json.ts';
import { isRecord, maxJsonDepth } from '../../core/json.ts';
import { refuseCompressed } from './compressed.ts';
import { jsonSizeProblem } from './json-size.ts';
import { limitPace } from './received.ts';
import { badInput, ClientGone, RouteError } from './route-error.ts';

/**
 * Requests hold fewer. A million of them can be names that are all different, or numbers that must
 * be kept as they are written: each of these takes seconds to read, and to write again.
 */
export const maxBodyValues = 100_000;
/** Characters of all numbers together: each is copied several times where it is kept as it is. */
export const maxNumerals = 4_000_000;
/** A body that has characters beyond Latin-1, which take two bytes each in every copy of it. */
export const maxWideBodyBytes = 16_000_000;
/** Others get their turn between two steps over a longer body. */
const longBytes = 1_048_576;

/**
 * The JSON object of the body, whose numbers are never changed. Throws RouteError 400 for anything
 * else, 408 for a body that comes too slowly or takes more than a minute, and 415 for a compressed
 * one. 413: the body has more than `maxBytes`, more than 16 MB with characters beyond Latin-1, more
 * than 100,000 values, or more than 100 levels.
 */
export async function readJsonBody(
  request: IncomingMessage,
  { maxBytes }: { maxBytes: number },
): Promise<Record<string, unknown>> {
  refuseCompressed(request);
  const tooLarge = () =>
    new RouteError(
      413,
      'PAYLOAD_TOO_LARGE',
      `The body must have at most ${maxBytes.toLocaleString('en')} bytes`,
    );
  if (Number(request.headers['content-length']) > maxBytes) throw tooLarge();
  return objectOf(await textOf(await receiveWhole(request, { maxBytes, tooLarge })));
}

/** By events: nearly every body is one piece, for which an iterator with a timer is much. */
function receiveWhole(
  request: IncomingMessage,
  { maxBytes, tooLarge }: { maxBytes: number; tooLarge: () => Error },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    const declared = Number(request.headers['content-length']);
    // Room that is not written to costs nothing, and pieces would be held beside their whole.
    const room = declared > longBytes ? Buffer.allocUnsafeSlow(declared) : null;
    let bytes = 0;
    let isOver = false;
    const stop = () => {
      isOver = true;
      request.off('data', take).off('end', end).off('close', leave).off('error', fail);
    };
    const fail = (error: Error) => {
      stop();
      reject(error);
    };
    const leave = () => fail(new ClientGone('the client has gone'));
    const take = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > maxBytes) fail(tooLarge());
      else if (room) piece.copy(room, bytes - piece.length);
      else pieces.push(piece);
    };
    const end = () => {
      stop();
      const whole =
        room?.subarray(0, bytes) ??
        (pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, bytes));
      // The clock of its pace holds them for a while.
      pieces.length = 0;
      resolve(whole);
    };
    request.on('data', take).on('end', end).on('close', leave).on('error', fail);
    // A body that is there already needs no clock.
    setImmediate(() => {
      if (!isOver) limitPace(request, fail);
    });
  });
}

async function textOf(bytes: Buffer): Promise<string> {
  const problem = jsonSizeProblem(bytes, {
    values: maxBodyValues,
    depth: maxJsonDepth,
    numerals: maxNumerals,
  });
  if (problem !== null) throw new RouteError(413, 'PAYLOAD_TOO_LARGE', `The body ${problem}`);
  if (!isUtf8(bytes)) throw badInput('The body must be valid UTF-8');
  if (bytes.length > longBytes) await setImmediate();
  // Not by a TextDecoder, which takes twice the time.
  const text = bytes.toString();
  if (bytes.length > maxWideBodyBytes && beyondLatin1.test(text)) throw tooWide();
  if (bytes.length > longBytes) await setImmediate();
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

const beyondLatin1 = /[^\0-\xff]/;

function tooWide(): RouteError {
  const most = maxWideBodyBytes.toLocaleString('en');
  return new RouteError(
    413,
    'PAYLOAD_TOO_LARGE',
    `The body must have at most ${most} bytes where it has characters beyond Latin-1`,
  );
}

const byteOrderMark = '\uFEFF';

function objectOf(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseKeepingNumbers(text);
  } catch {
    // Without the parser's message, which quotes the body.
    throw badInput('The body must be valid JSON');
  }
  if (!isRecord(value)) throw badInput('The body must be a JSON object');
  return value;
}
