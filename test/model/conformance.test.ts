import { onTestFinished } from 'vitest';
import type { Job } from '../../src/model/batch-api.ts';
import type { Model } from '../../src/model/model.ts';
import { type Sandbox, startFaultySandbox } from '../../src/sandbox/faults/sandbox.ts';
import {
  completion,
  refusal as openAiRefusal,
  type StubReply,
  type StubRequest,
  startStubProvider,
} from '../support/stub-provider.ts';
import { refusal as anthropicRefusal, claudeOf, message } from './anthropic/support.ts';
import { asking, batchesOf, calm, ended, inputOf, linesOf, submit } from './batch-support.ts';
import { conforms, type JobState, type LiveFault, type Subject } from './conformance.ts';
import { modelOf } from './support.ts';

const key = 'sk-test-1234567890abcdef';

conforms('OpenAI, scripted', async ({ timeoutMs }) => {
  return await scripted(openAiScript, (origin) => modelOf(`${origin}/v1`, { timeoutMs }).model);
});
conforms('Anthropic, scripted', async ({ timeoutMs }) => {
  return await scripted(anthropicScript, (origin) => claudeOf(origin, { timeoutMs }));
});
conforms('the sandbox as OpenAI', async ({ timeoutMs }) => {
  return await sandboxed(({ url }) => modelOf(url, { id: 'stub/rules', timeoutMs }).model);
});
conforms('the sandbox as Anthropic', async ({ timeoutMs }) => {
  return await sandboxed(({ anthropicUrl }) =>
    claudeOf(anthropicUrl, { name: 'rules', timeoutMs }),
  );
});

async function sandboxed(modelIn: (sandbox: Sandbox) => Model): Promise<Subject> {
  const sandbox = await startFaultySandbox({ apiKey: key, batches: { held: true } });
  const model = modelIn(sandbox);
  const { outcomes } = sandbox.batches;
  return {
    model,
    next: (fault) => void sandbox.faults.add({ fault, times: 1 }),
    asked: () => sandbox.until(({ inFlight }) => inFlight > 0),
    idle: () => sandbox.until(({ inFlight }) => inFlight === 0),
    async job(state) {
      if (state === 'expired' || state === 'cancelled')
        outcomes.add({ fault: { kind: state, done: 2 } });
      if (state === 'unheard-of')
        outcomes.add({ fault: { kind: 'unknown_status', status: state } });
      const api = batchesOf(model);
      const rows = [1, 2, 3].map((nth) => asking(`text ${nth}, great`));
      const { providerId } = await submit(api, await inputOf(onTestFinished, linesOf(api, rows)));
      if (state === 'working') return await api.retrieve(providerId, calm());
      sandbox.batches.release();
      return await ended(sandbox, api, providerId);
    },
    close: () => sandbox.close(),
  };
}

/** An API in replies that are written down as its documentation has them. */
interface Script {
  live(fault: LiveFault | null): StubReply;
  /** What is answered to a GET of this path; null where nothing is there. */
  jobs(path: string, state: JobState, origin: string): unknown;
  missing: StubReply;
  jobId: string;
}

async function scripted(script: Script, modelAt: (origin: string) => Model): Promise<Subject> {
  const stub = await startStubProvider();
  const model = modelAt(stub.origin);
  let state: JobState = 'working';
  let fault: LiveFault | null = null;
  function reply({ method, url }: StubRequest): StubReply {
    if (method === 'GET') {
      const body = script.jobs(url, state, stub.origin);
      return body === null ? script.missing : { body };
    }
    const now = fault;
    fault = null;
    return script.live(now);
  }
  stub.reply(reply);
  return {
    model,
    next(given) {
      fault = given;
    },
    asked: () => stub.received(1),
    idle: async () => await stub.requests.at(-1)?.closed,
    async job(given): Promise<Job> {
      state = given;
      return await batchesOf(model).retrieve(script.jobId, calm());
    },
    close: () => stub.close(),
  };
}

/** What both APIs do alike; null where the dialect says it in its own words. */
function alike(fault: LiveFault, refused: (status: number, headers: Headers) => StubReply) {
  switch (fault.kind) {
    case 'drop':
      return { fault: fault.at === 'headers' ? 'reset' : 'reset-body' } as const;
    case 'stall':
      return { fault: fault.at } as const;
    case 'status':
      return refused(fault.status, new Headers());
    case 'rate_limited': {
      const { retryAfter: after, retryAfterMs: afterMs } = fault;
      const headers = new Headers();
      if (after != null) {
        headers.set('retry-after', after instanceof Date ? after.toUTCString() : String(after));
      }
      if (afterMs !== undefined) headers.set('retry-after-ms', String(afterMs));
      return refused(429, headers);
    }
    default:
      return null;
  }
}

const jsonl = (lines: readonly object[]) =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const words = 'The card is in the drawer.';

const openAiScript: Script = {
  jobId: 'batch_1',
  missing: openAiRefusal(404, { message: "No batch found with id 'unheard-of'." }),
  live(fault) {
    const reply =
      fault &&
      alike(fault, (status, headers) => openAiRefusal(status, {}, Object.fromEntries(headers)));
    if (reply) return { body: completion(words), ...reply };
    if (fault?.kind === 'refusal') return { body: completion(null, { refusal: 'No.' }) };
    return { body: completion(words, { finish: fault ? 'length' : 'stop' }) };
  },
  jobs(path, state) {
    const done = state === 'completed' ? 3 : 2;
    const hasEnded = state !== 'working' && state !== 'unheard-of';
    switch (path) {
      case '/v1/batches/batch_1':
        return {
          id: 'batch_1',
          object: 'batch',
          status: state === 'working' ? 'in_progress' : state,
          output_file_id: hasEnded ? 'file-output' : null,
          error_file_id: hasEnded && done < 3 ? 'file-errors' : null,
          request_counts: { total: 3, completed: done, failed: 0 },
          errors: null,
        };
      case '/v1/files/file-output/content':
        return jsonl(
          [1, 2, 3].slice(0, done).map((nth) => ({
            custom_id: `row-${nth}`,
            response: { status_code: 200, body: completion(words) },
            error: null,
          })),
        );
      case '/v1/files/file-errors/content': {
        const error = { code: `batch_${state}`, message: 'This request was not executed.' };
        return jsonl([{ custom_id: 'row-3', response: null, error }]);
      }
      default:
        return null;
    }
  },
};

const errorTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

const anthropicScript: Script = {
  jobId: 'msgbatch_1',
  missing: anthropicRefusal(404, 'not_found_error'),
  live(fault) {
    const reply =
      fault &&
      alike(fault, (status, headers) => {
        const type = errorTypes[status] ?? 'api_error';
        return anthropicRefusal(status, type, 'no', { headers: Object.fromEntries(headers) });
      });
    if (reply) return { body: message(words), ...reply };
    const stops = { refusal: 'refusal', truncated: 'max_tokens' } as const;
    const kind = fault?.kind === 'refusal' || fault?.kind === 'truncated' ? fault.kind : null;
    return { body: message(words, { stop_reason: kind ? stops[kind] : 'end_turn' }) };
  },
  jobs(path, state, origin) {
    const job = '/v1/messages/batches/msgbatch_1';
    const hasEnded = state !== 'working' && state !== 'unheard-of';
    const left = { expired: 'expired', cancelled: 'canceled' } as const;
    const last = state === 'expired' || state === 'cancelled' ? left[state] : 'succeeded';
    switch (path) {
      case job: {
        const counts = { processing: 0, succeeded: 2, errored: 0, canceled: 0, expired: 0 };
        return {
          id: 'msgbatch_1',
          type: 'message_batch',
          processing_status: hasEnded ? 'ended' : state === 'working' ? 'in_progress' : state,
          request_counts: { ...counts, [last]: last === 'succeeded' ? 3 : 1 },
          results_url: hasEnded ? `${origin}${job}/results` : null,
        };
      }
      case `${job}/results`: {
        const answered = { type: 'succeeded', message: message(words) };
        const results = [answered, answered, last === 'succeeded' ? answered : { type: last }];
        return jsonl(results.map((result, at) => ({ custom_id: `row-${at + 1}`, result })));
      }
      default:
        return null;
    }
  },
};
