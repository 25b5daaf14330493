/** Reads the chunks of a streamed chat completion, trusting none of them. */
import { isRecord, recordsOf } from '../../core/json.ts';
import type { Tokens } from '../../core/usage.ts';
import { failureWithin } from '../answer.ts';
import { ChunksToEvents } from '../dialects/chunks-to-events.ts';
import { readCompletionUsage } from '../dialects/usage.ts';
import type { StreamEvent } from '../model.ts';
import { parseAnswer, unusable } from '../read.ts';
import type { BodyRequest } from '../request.ts';
import type { ReadOptions } from '../send.ts';
import type { StreamReader } from '../stream.ts';
import { asksForUsage } from './request-body.ts';

export class ChunkReader implements StreamReader {
  state: StreamReader['state'] = 'open';
  tokens: Tokens | null = null;
  /** As the last chunk that names one says. */
  private tier: unknown = null;
  private readonly options: ReadOptions;
  private readonly showsUsage: boolean;
  /** Null where the caller reads chunks. */
  private readonly translator: ChunksToEvents | null;

  constructor(request: BodyRequest, options: ReadOptions) {
    this.options = options;
    this.showsUsage = asksForUsage(request);
    this.translator = request.dialect === 'anthropic' ? new ChunksToEvents() : null;
  }

  read(event: StreamEvent): readonly StreamEvent[] {
    if (event.data.trim() === '[DONE]') {
      this.state = 'over';
      return [];
    }
    const chunk = parseAnswer(event.data, { whole: false });
    const { provider } = this.options;
    if (!isRecord(chunk)) throw unusable(`${provider} sent an event that is not JSON.`);
    if (chunk.error != null) throw failureWithin(chunk.error, this.options);
    this.tier = chunk.service_tier ?? this.tier;
    const tokens = readCompletionUsage(chunk.usage, this.tier);
    this.tokens = tokens ?? this.tokens;
    const choices = recordsOf(chunk.choices);
    // Some servers end without a word behind the last chunk.
    if (choices.some(({ finish_reason: reason }) => reason != null)) this.state = 'whole';
    if (this.translator) return this.translator.read(chunk);
    const isUnasked = tokens !== null && choices.length === 0 && !this.showsUsage;
    return isUnasked ? [] : [{ type: null, data: event.data }];
  }

  end(): readonly StreamEvent[] {
    return this.translator?.end() ?? [];
  }
}
