import OpenAI from 'openai';
import type { CallSignal } from '../../core/deadline-clock.ts';

/** The headers that go out are the fetch's own. */
const noHeaders = new Headers();

/**
 * The openai package for POSTs of JSON through a fetch that has its own headers and a caller that
 * has its own deadline. The package makes headers, a timer and a joined signal for every request,
 * and none of them would have an effect here (docs/decisions/010).
 */
export class ChatClient extends OpenAI {
  private readonly send: typeof globalThis.fetch;
  private readonly urls = new Map<string, string>();

  constructor(
    options: ConstructorParameters<typeof OpenAI>[0] & { fetch: typeof globalThis.fetch },
  ) {
    super(options);
    this.send = options.fetch;
  }

  /** The answer to a POST of JSON. Rejects with the package's errors. */
  postJson(
    path: string,
    body: string,
    signal: CallSignal,
    traceparent?: string,
  ): Promise<Response> {
    // The package looks at `aborted` alone, and the fetch listens.
    const call = { method: 'post', path, body, signal: signal as AbortSignal } as const;
    const options = traceparent === undefined ? call : { ...call, headers: { traceparent } };
    // Not `post`, which copies the options in a promise of its own.
    return this.request(options).asResponse();
  }

  override async buildRequest({
    method,
    path,
    body,
    signal,
    headers,
  }: Parameters<OpenAI['buildRequest']>[0]): ReturnType<OpenAI['buildRequest']> {
    let url = this.urls.get(path);
    if (url === undefined) {
      url = this.buildURL(path, null);
      this.urls.set(path, url);
    }
    const req = {
      method: method.toUpperCase(),
      headers: headers ? new Headers(headers as Record<string, string>) : noHeaders,
      body: typeof body === 'string' ? body : null,
      signal: signal ?? null,
    };
    return { req, url, timeout: this.timeout };
  }

  override fetchWithTimeout(
    ...[url, init]: Parameters<OpenAI['fetchWithTimeout']>
  ): ReturnType<OpenAI['fetchWithTimeout']> {
    return this.send(url, init);
  }
}
