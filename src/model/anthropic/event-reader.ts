/** Reads the events of a streamed message, trusting none of them. */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { Tokens } from '../../core/usage.ts';
import { EventsToChunks } from '../dialects/events-to-chunks.ts';
import { readMessageUsage } from '../dialects/usage.ts';
import type { StreamEvent } from '../model.ts';
import { parseAnswer, unusable } from '../read.ts';
import type { BodyRequest } from '../request.ts';
import type { ReadOptions } from '../send.ts';
import type { StreamReader } from '../stream.ts';
import { anthropicFailures, refusalWithin } from './failure.ts';

export class EventReader implements StreamReader {
  state: StreamReader['state'] = 'open';
  private usage: JsonRecord = {};
  private readonly options: ReadOptions;
  /** Null where the caller reads events. */
  private readonly translator: EventsToChunks | null;

  constructor({ dialect, body }: BodyRequest, options: ReadOptions) {
    this.options = options;
    const { include_usage } = isRecord(body.stream_options) ? body.stream_options : {};
    this.translator =
      dialect === 'anthropic'
        ? null
        : new EventsToChunks({
            created: Math.floor(Date.now() / 1_000),
            withUsage: include_usage === true,
          });
  }

  get tokens(): Tokens | null {
    return readMessageUsage(this.usage);
  }

  read({ data }: StreamEvent): readonly StreamEvent[] {
    const { provider, quote } = this.options;
    const event = parseAnswer(data, { whole: false });
    if (!isRecord(event) || typeof event.type !== 'string') {
      throw unusable(`${provider} sent an event that is not JSON.`);
    }
    const { type } = event;
    if (type === 'error') {
      const refusal = refusalWithin(event.error);
      throw anthropicFailures.classify(refusal, { provider, quote, retryAfterMs: null });
    }
    this.count(isRecord(event.message) ? event.message.usage : event.usage);
    if (type === 'message_stop') this.state = 'over';
    return this.translator ? this.translator.read(event) : [{ type, data }];
  }

  end(): readonly StreamEvent[] {
    return this.translator?.end(this.usage) ?? [];
  }

  /** Counts are totals so far; those of the start that the end leaves out stand. */
  private count(usage: unknown): void {
    if (!isRecord(usage)) return;
    const given = Object.entries(usage).filter(([, value]) => value != null);
    this.usage = { ...this.usage, ...Object.fromEntries(given) };
  }
}
