/**
 * The chunks of a streamed chat completion as the events of a streamed message
 * (https://platform.openai.com/docs/api-reference/chat-streaming,
 * https://platform.claude.com/docs/en/build-with-claude/streaming). Joined, the events are the
 * message that `completionToMessage` makes of the joined chunks.
 *
 * Two things are only known at the end of a stream. Usage stands in the last event but one. What is
 * said behind a tool call is a block behind that call, and not before it.
 */
import { isRecord, type JsonRecord, recordsOf } from '../../core/json.ts';
import { firstChoice } from '../first-choice.ts';
import type { StreamEvent } from '../model.ts';
import { idWith, stopReason, usageToMessage } from './completion.ts';

export class ChunksToEvents {
  private hasStarted = false;
  /** The open block: a kind of text, or the index of a tool call. */
  private open: 'content' | 'refusal' | number | null = null;
  private blocks = 0;
  /** The place of each tool call's block. */
  private readonly calls = new Map<number, number>();
  private refusal = '';
  private reason: unknown = null;
  private usage: JsonRecord = {};

  /** The events that a chunk comes to. */
  read(chunk: Readonly<JsonRecord>): StreamEvent[] {
    const events: StreamEvent[] = [];
    if (!this.hasStarted) events.push(this.start(chunk));
    if (isRecord(chunk.usage)) this.usage = chunk.usage;
    const choice = firstChoice(chunk.choices);
    // Of several choices a message has the first one.
    if (!choice || (choice.index ?? 0) !== 0) return events;
    if (choice.finish_reason != null) this.reason = choice.finish_reason;
    const delta = isRecord(choice.delta) ? choice.delta : {};
    if (isText(delta.content)) this.say('content', delta.content, events);
    if (isText(delta.refusal)) {
      this.refusal += delta.refusal;
      this.say('refusal', delta.refusal, events);
    }
    for (const call of recordsOf(delta.tool_calls)) this.call(call, events);
    return events;
  }

  /** The events behind the last chunk. */
  end(): StreamEvent[] {
    const events: StreamEvent[] = this.hasStarted ? [] : [this.start({})];
    this.close(events);
    const stop_reason = stopReason(this.reason, { refusal: this.refusal }, this.calls.size > 0);
    events.push(
      event('message_delta', {
        delta: { stop_reason, stop_sequence: null },
        usage: usageToMessage(this.usage),
      }),
      event('message_stop', {}),
    );
    return events;
  }

  private start({ id, model }: Readonly<JsonRecord>): StreamEvent {
    this.hasStarted = true;
    const message = {
      id: idWith('msg_', id),
      type: 'message',
      role: 'assistant',
      model: model ?? '',
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: usageToMessage({}),
    };
    return event('message_start', { message });
  }

  private say(kind: 'content' | 'refusal', text: string, events: StreamEvent[]): void {
    if (this.open !== kind) this.begin(kind, { type: 'text', text: '' }, events);
    events.push(this.delta(this.blocks - 1, { type: 'text_delta', text }));
  }

  private call({ index, id, function: called }: JsonRecord, events: StreamEvent[]): void {
    const number = typeof index === 'number' ? index : 0;
    const { name, arguments: piece } = isRecord(called) ? called : {};
    if (!this.calls.has(number)) {
      this.calls.set(number, this.blocks);
      this.begin(number, { type: 'tool_use', id, name, input: {} }, events);
    }
    if (!isText(piece)) return;
    // A piece of a call whose block is closed still names that block.
    const place = this.calls.get(number) ?? this.blocks - 1;
    events.push(this.delta(place, { type: 'input_json_delta', partial_json: piece }));
  }

  private begin(
    kind: 'content' | 'refusal' | number,
    content_block: JsonRecord,
    events: StreamEvent[],
  ): void {
    this.close(events);
    this.open = kind;
    events.push(event('content_block_start', { index: this.blocks, content_block }));
    this.blocks += 1;
  }

  private close(events: StreamEvent[]): void {
    if (this.open === null) return;
    this.open = null;
    events.push(event('content_block_stop', { index: this.blocks - 1 }));
  }

  private delta(index: number, delta: JsonRecord): StreamEvent {
    return event('content_block_delta', { index, delta });
  }
}

function event(type: string, fields: JsonRecord): StreamEvent {
  return { type, data: JSON.stringify({ type, ...fields }) };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
