/**
 * The events of a streamed message as the chunks of a streamed chat completion
 * (https://platform.claude.com/docs/en/build-with-claude/streaming,
 * https://platform.openai.com/docs/api-reference/chat-streaming). Joined, the chunks are the
 * completion that `messageToCompletion` makes of the joined events.
 *
 * That the model refuses is only known at the end: what it said before stays content.
 */
import { isRecord, type JsonRecord } from '../../core/json.ts';
import type { StreamEvent } from '../model.ts';
import { explanationOf, finishReason, idWith, usageToCompletion } from './completion.ts';

export class EventsToChunks {
  private readonly created: number;
  private readonly withUsage: boolean;
  private id = '';
  private model: unknown = '';
  private hasText = false;
  /** The numbers of the tool calls by the indexes of their blocks, and whether each has input. */
  private readonly calls = new Map<unknown, { number: number; hasInput: boolean }>();

  /** `created` is in seconds since 1970. `withUsage`: a last chunk tells of it. */
  constructor({ created, withUsage }: { created: number; withUsage: boolean }) {
    this.created = created;
    this.withUsage = withUsage;
  }

  /** The chunks that an event comes to. */
  read(event: Readonly<JsonRecord>): StreamEvent[] {
    switch (event.type) {
      case 'message_start': {
        const message = isRecord(event.message) ? event.message : {};
        this.id = idWith('chatcmpl-', message.id);
        this.model = message.model ?? '';
        return [this.chunk({ role: 'assistant', content: null, refusal: null })];
      }
      case 'content_block_start':
        return this.begin(event.index, isRecord(event.content_block) ? event.content_block : {});
      case 'content_block_delta':
        return this.add(event.index, isRecord(event.delta) ? event.delta : {});
      case 'content_block_stop': {
        const call = this.calls.get(event.index);
        return call && !call.hasInput ? [this.argue(call, '{}')] : [];
      }
      case 'message_delta':
        return this.finish(isRecord(event.delta) ? event.delta : {});
      default:
        return [];
    }
  }

  /** The chunks behind the last event; `usage` is what the events have told of it. */
  end(usage: JsonRecord): StreamEvent[] {
    if (!this.withUsage) return [];
    return [this.write({ choices: [], usage: usageToCompletion(usage) })];
  }

  private begin(index: unknown, block: JsonRecord): StreamEvent[] {
    if (block.type === 'text') return this.say(block.text);
    if (block.type !== 'tool_use') return [];
    const { id, name, input } = block;
    const call = { number: this.calls.size, hasInput: false };
    this.calls.set(index, call);
    const called = { name, arguments: '' };
    const opened = this.chunk({
      tool_calls: [{ index: call.number, id, type: 'function', function: called }],
    });
    const isWhole = isRecord(input) && Object.keys(input).length > 0;
    return isWhole ? [opened, this.argue(call, JSON.stringify(input))] : [opened];
  }

  private add(index: unknown, delta: JsonRecord): StreamEvent[] {
    if (delta.type === 'text_delta') return this.say(delta.text);
    const call = this.calls.get(index);
    const { partial_json: piece } = delta;
    const isInput = delta.type === 'input_json_delta' && typeof piece === 'string' && piece !== '';
    return call && isInput ? [this.argue(call, piece)] : [];
  }

  private say(text: unknown): StreamEvent[] {
    if (typeof text !== 'string' || text === '') return [];
    this.hasText = true;
    return [this.chunk({ content: text })];
  }

  private argue(call: { number: number; hasInput: boolean }, piece: string): StreamEvent {
    call.hasInput = true;
    return this.chunk({ tool_calls: [{ index: call.number, function: { arguments: piece } }] });
  }

  private finish({ stop_reason, stop_details }: JsonRecord): StreamEvent[] {
    const isRefusal = stop_reason === 'refusal' && !this.hasText;
    return [
      ...(isRefusal ? [this.chunk({ refusal: explanationOf(stop_details) })] : []),
      this.chunk({}, finishReason(stop_reason)),
    ];
  }

  private chunk(delta: JsonRecord, finish_reason: string | null = null): StreamEvent {
    return this.write({ choices: [{ index: 0, delta, logprobs: null, finish_reason }] });
  }

  private write(fields: JsonRecord): StreamEvent {
    const { id, created, model } = this;
    const chunk = { id, object: 'chat.completion.chunk', created, model, ...fields };
    return { type: null, data: JSON.stringify(chunk) };
  }
}
