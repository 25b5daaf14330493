/**
 * The limit of one core: the same loop over undici's Pool, with no package and no checks. What it
 * leaves out is what every other contestant costs.
 */
import { type Dispatcher, Pool } from 'undici';
import { createCapabilities } from '../../../src/model/openai/capabilities.ts';
import { buildRequestBody } from '../../../src/model/openai/request-body.ts';
import { type BenchItem, modelName, requestFor } from '../request.ts';
import { labelLines } from './label-lines.ts';
import type { Peer, PeerSettings } from './peer.ts';

interface Completion {
  choices: { message: { content: string } }[];
  usage: object;
}

export async function startUndiciLoop({ stubUrl, concurrency }: PeerSettings): Promise<Peer> {
  const { origin, pathname } = new URL(`${stubUrl}/chat/completions`);
  const pool = new Pool(origin, { connections: null });
  const capabilities = createCapabilities('max_tokens');
  let input = '';

  function post(body: string): Promise<Completion> {
    return new Promise((resolve, reject) => {
      pool.dispatch(
        { path: pathname, method: 'POST', headers: { 'content-type': 'application/json' }, body },
        new Answer(resolve, reject),
      );
    });
  }

  async function label(item: BenchItem): Promise<string> {
    const { body } = buildRequestBody(modelName, requestFor(item.text), capabilities);
    const { choices, usage } = await post(JSON.stringify(body));
    const answer: unknown = JSON.parse(choices[0]?.message.content ?? '');
    return `${JSON.stringify({ id: item.id, answer, usage })}\n`;
  }

  return {
    async prepare(file) {
      input = file;
    },
    run: () => labelLines({ input, output: `${input}.bare`, concurrency }, label),
    stop: () => pool.close(),
  };
}

class Answer implements Dispatcher.DispatchHandler {
  private readonly chunks: Buffer[] = [];
  private readonly resolve: (completion: Completion) => void;
  private readonly reject: (error: Error) => void;

  constructor(resolve: (completion: Completion) => void, reject: (error: Error) => void) {
    this.resolve = resolve;
    this.reject = reject;
  }

  // undici asks for both.
  onRequestStart(): void {}
  onResponseStart(): void {}

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.resolve(JSON.parse(Buffer.concat(this.chunks).toString('utf8')) as Completion);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.reject(error);
  }
}
