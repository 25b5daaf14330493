/** One attempt to deliver a webhook, and what its answer means. */
import { errors, Client as HttpClient } from 'undici';
import { follow } from '../core/deadline.ts';
import { parseRetryAfter } from '../core/retry-after.ts';
import { type AddressRules, checkWebhookUrl, notPublic } from './address.ts';
import { BlockedAddress, createDialer, NoAddress, type ResolveName } from './dial.ts';
import { describeFailure } from './failure.ts';

/** For the look-up, the connection and the whole answer. The standard says 15 to 30 s. */
export const attemptTimeoutMs = 15_000;
/**
 * Bytes of an answer's body that are read, so that an endpoint may finish it in peace; more is cut
 * off. Nothing of it is kept.
 */
const maxAnswerBytes = 64 * 1024;
/** A day, as long as the longest step of the schedule. */
const maxRetryAfterMs = 24 * 60 * 60 * 1_000;

export interface WebhookRequest {
  url: string;
  /** The signature's headers. */
  headers: Record<string, string>;
  /** JSON. */
  body: string;
}

/**
 * - `delivered`: 2xx
 * - `gone`: 410, the endpoint wants no more of it
 * - `failed`: anything else, redirects included
 * - `aborted`: by the signal; whether it arrived is not known
 */
type DeliveryOutcome = 'delivered' | 'gone' | 'failed' | 'aborted';

export interface WebhookAnswer {
  outcome: DeliveryOutcome;
  statusCode: number | null;
  /**
   * For the tenant; null after a success. What went wrong on the way to an address that may be
   * called. One text for a name of none: a tenant who can choose the URL must not learn what is
   * inside a network.
   */
  error: string | null;
  /** The same for the operator of the server. */
  cause: 'blocked address' | 'no address' | 'connection failed' | 'timed out' | null;
  /** Time that a 429 or 503 asked for, at most a day. */
  retryAfterMs: number | null;
}

/**
 * Sends one POST on a connection of its own, which does not outlive the attempt: one that was kept
 * would have been checked for an earlier attempt, and would break just when the next one is sent.
 * Never rejects for what an endpoint does, only for a fault of our own.
 */
export async function sendWebhook(
  { url, headers, body }: WebhookRequest,
  options: AddressRules & { resolveName: ResolveName; timeoutMs?: number; signal?: AbortSignal },
): Promise<WebhookAnswer> {
  const { allowPrivate, resolveName, timeoutMs = attemptTimeoutMs, signal } = options;
  // Checked when it was submitted; the rules may have been others then.
  const problem = checkWebhookUrl(url, { allowPrivate });
  if (problem !== null) {
    const told = problem === notPublic ? noPublicAddress : `the URL ${problem}`;
    return unanswered('blocked address', told);
  }
  if (signal?.aborted) return aborted;

  const { origin, pathname, search } = new URL(url);
  const dialer = createDialer({ allowPrivate, resolveName, timeoutMs });
  // The one deadline is ours; undici's own would be a second opinion. No pipelining: `connection:
  // close`.
  const client = new HttpClient(origin, {
    connect: dialer.connect,
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 0,
  });
  const { controller: stop, leave } = follow(signal ?? null);
  const deadline = setTimeout(() => stop.abort(), timeoutMs);
  try {
    const answer = await client.request({
      method: 'POST',
      path: pathname + search,
      headers: { 'content-type': 'application/json', 'user-agent': 'Winnow-Webhooks', ...headers },
      body,
      signal: stop.signal,
    });
    await drain(answer.body);
    const { statusCode } = answer;
    const header = (name: string) => [answer.headers[name]].flat()[0] ?? null;
    return {
      outcome:
        statusCode >= 200 && statusCode < 300
          ? 'delivered'
          : statusCode === 410
            ? 'gone'
            : 'failed',
      statusCode,
      error: describe(statusCode),
      cause: null,
      retryAfterMs:
        statusCode === 429 || statusCode === 503
          ? parseRetryAfter(header, { nowMs: Date.now(), maxMs: maxRetryAfterMs })
          : null,
    };
  } catch (error) {
    if (signal?.aborted) return aborted;
    if (isOwnFault(error)) throw error;
    const late = stop.signal.aborted || error instanceof errors.ConnectTimeoutError;
    const cause =
      error instanceof BlockedAddress
        ? 'blocked address'
        : error instanceof NoAddress
          ? 'no address'
          : late
            ? 'timed out'
            : 'connection failed';
    // Before it dials, an attempt knows of the name alone, however it ended.
    if (!dialer.dials) return unanswered(cause, allowPrivate ? noAddress : noPublicAddress);
    const slow = `timed out after ${timeoutMs / 1_000} s`;
    return unanswered(cause, late ? slow : describeFailure(error));
  } finally {
    clearTimeout(deadline);
    leave();
    dialer.close();
    void client.destroy(); // resolves when it is closed; nobody waits for it
  }
}

/** Connections fail with errors of undici or the system; these are the language's, or misuse. */
function isOwnFault(error: unknown): boolean {
  return (
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof errors.InvalidArgumentError
  );
}

const aborted: WebhookAnswer = {
  outcome: 'aborted',
  statusCode: null,
  error: null,
  cause: null,
  retryAfterMs: null,
};

const noPublicAddress = 'the name has no public address';
const noAddress = 'the name has no address';

function unanswered(cause: WebhookAnswer['cause'], error: string): WebhookAnswer {
  return { ...aborted, outcome: 'failed', error, cause };
}

function describe(statusCode: number): string | null {
  if (statusCode >= 200 && statusCode < 300) return null;
  if (statusCode >= 300 && statusCode < 400)
    return `answered ${statusCode}; redirects are not followed`;
  return `answered ${statusCode}`;
}

/** The status has decided already: a body that breaks, drips or never ends changes nothing. */
async function drain(body: AsyncIterable<Buffer>): Promise<void> {
  let read = 0;
  try {
    for await (const chunk of body) {
      read += chunk.length;
      if (read > maxAnswerBytes) return;
    }
  } catch {
    // Said above.
  }
}
