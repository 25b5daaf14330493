/**
 * What a provider with a prompt cache answers, for a scripted provider: OpenAI's by itself or by
 * breakpoints, and Anthropic's by marks. It asserts nothing.
 */
import type { StubReply, StubRequest } from './stub-provider.ts';

export interface PromptCacheOptions {
  /** `implicit`: OpenAI's before breakpoints; `explicit`: OpenAI's with them; `anthropic`. */
  kind: 'implicit' | 'explicit' | 'anthropic';
  /** The shortest beginning that is kept. */
  leastTokens?: number;
  /** Text of every answer. */
  text?: string;
  /** Milliseconds until an answer, and until what it wrote can be read. */
  delayMs?: number;
  /** Milliseconds after which what nobody reads is forgotten. */
  keptMs?: number;
  countTokens?: (text: string) => number;
}

/** One answered request, as it was billed. */
export interface BilledCall {
  inputTokens: number;
  read: number;
  written: number;
  /** What stood before the mark, the mark's own part included; null without one. */
  marked: string | null;
}

export interface PromptCacheStub {
  reply: (request: StubRequest) => StubReply;
  readonly calls: readonly BilledCall[];
}

interface Part {
  text: string;
  mark: Record<string, any> | null;
}

/** About 128 tokens. */
const charsPerStep = 512;

export function createPromptCache({
  kind,
  leastTokens = 1_024,
  text = 'ok',
  delayMs = 0,
  keptMs = 300_000,
  countTokens = (given) => Math.ceil(given.length / 4),
}: PromptCacheOptions): PromptCacheStub {
  const calls: BilledCall[] = [];
  /** Beginnings: from when they can be read, and until when they are kept. */
  const kept = new Map<string, { from: number; to: number }>();
  const isAnthropic = kind === 'anthropic';

  function isKept(beginning: string, now: number): boolean {
    const entry = kept.get(beginning);
    if (!entry || now < entry.from || now > entry.to) return false;
    entry.to = now + keptMs;
    return true;
  }

  function keep(beginning: string, now: number): void {
    const entry = kept.get(beginning);
    const from = Math.min(now + delayMs, entry?.from ?? Number.POSITIVE_INFINITY);
    kept.set(beginning, { from, to: now + delayMs + keptMs });
  }

  /** Tokens that are read and written by a prompt that is kept up to its mark. */
  function useMark(beginning: string | null, now: number) {
    const tokens = beginning === null ? 0 : countTokens(beginning);
    if (beginning === null || tokens < leastTokens) return { read: 0, written: 0 };
    if (isKept(beginning, now)) return { read: tokens, written: 0 };
    keep(beginning, now);
    return { read: 0, written: tokens };
  }

  /** Tokens that are read by a prompt whose beginning is kept by itself, in steps of 128. */
  function useBeginning(whole: string, now: number): number {
    const steps = Math.floor(whole.length / charsPerStep);
    const beginnings = Array.from({ length: steps }, (_, step) =>
      whole.slice(0, (step + 1) * charsPerStep),
    ).filter((beginning) => countTokens(beginning) >= leastTokens);
    const read = beginnings.findLast((beginning) => isKept(beginning, now));
    for (const beginning of beginnings) keep(beginning, now);
    return read === undefined ? 0 : Math.floor(countTokens(read) / 128) * 128;
  }

  return {
    calls,
    reply({ body }) {
      const now = performance.now();
      const parts = isAnthropic ? partsOfMessage(body) : partsOfChat(body);
      const at = parts.findLastIndex(({ mark }) => mark !== null);
      const marked =
        at === -1
          ? null
          : parts
              .slice(0, at + 1)
              .map((part) => part.text)
              .join('\n');
      const whole = parts.map((part) => part.text).join('\n');
      const inputTokens = countTokens(whole);
      const used =
        kind === 'implicit'
          ? { read: useBeginning(whole, now), written: 0 }
          : kind === 'explicit' && body.prompt_cache_options?.mode !== 'explicit'
            ? useMark(whole, now)
            : useMark(marked, now);
      calls.push({ inputTokens, ...used, marked });
      const long = parts[at]?.mark?.ttl === '1h' ? used.written : 0;
      return {
        delayMs,
        body: isAnthropic
          ? message(text, { ...used, inputTokens, long })
          : chat(text, { ...used, inputTokens }),
      };
    },
  };
}

function partsOfChat(body: any): Part[] {
  return [
    { text: JSON.stringify(body.response_format ?? null), mark: null },
    ...body.messages.flatMap(({ content }: any) => partsOf(content, 'prompt_cache_breakpoint')),
  ];
}

function partsOfMessage(body: any): Part[] {
  return [
    { text: JSON.stringify([body.tools ?? null, body.output_config ?? null]), mark: null },
    ...partsOf(body.system ?? '', 'cache_control'),
    ...body.messages.flatMap(({ content }: any) => partsOf(content, 'cache_control')),
  ];
}

function partsOf(content: any, markName: string): Part[] {
  return typeof content === 'string'
    ? [{ text: content, mark: null }]
    : content.map((part: any) => ({ text: part.text, mark: part[markName] ?? null }));
}

function chat(
  text: string,
  { inputTokens, read, written }: { inputTokens: number; read: number; written: number },
) {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'stub',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
    usage: {
      prompt_tokens: inputTokens,
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    },
  };
}

function message(
  text: string,
  {
    inputTokens,
    read,
    written,
    long,
  }: { inputTokens: number; read: number; written: number; long: number },
) {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'stub',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: inputTokens - read - written,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: written,
      cache_creation: {
        ephemeral_5m_input_tokens: written - long,
        ephemeral_1h_input_tokens: long,
      },
      output_tokens: 5,
    },
  };
}
