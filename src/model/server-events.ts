/** Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), read. */
import type { StreamEvent } from './model.ts';
import { BodyTooLarge, maxBodyBytes } from './thin-fetch.ts';

/**
 * The events of a body as they come. Comments, and events without data, are left out. Throws
 * BodyTooLarge where one event is longer than `maxBodyBytes`.
 */
export async function* readServerEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<StreamEvent, void, undefined> {
  const decoder = new TextDecoder();
  const event = new EventLines();
  /** The beginning of a line whose end has not come. */
  let begun = '';
  let held = '';
  for await (const bytes of body) {
    // The new piece alone is searched: a long line would be searched again with each piece of it.
    const lines = (held + decoder.decode(bytes, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    const last = lines.pop() ?? '';
    // A return at the end may be the first half of a line's end.
    held = last.endsWith('\r') ? '\r' : '';
    const rest = held === '' ? last : last.slice(0, -1);
    if (lines.length > 0) lines[0] = begun + lines[0];
    begun = lines.length > 0 ? rest : begun + rest;
    if (begun.length + event.length > maxBodyBytes) throw new BodyTooLarge();
    for (const line of lines) {
      const whole = event.add(line);
      if (whole) yield whole;
    }
  }
  // Some servers leave out the line that ends the last event.
  for (const line of [begun, '']) {
    const last = event.add(line);
    if (last) yield last;
  }
}

/** The lines of one event after the other. */
class EventLines {
  /** Characters of the event so far. */
  length = 0;
  private type: string | null = null;
  private data: string[] = [];

  /** The event that this line ends; null where it ends none. */
  add(line: string): StreamEvent | null {
    if (line !== '') {
      const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
      if (field === 'event') this.type = value;
      else if (field === 'data') this.data.push(value);
      this.length += line.length;
      return null;
    }
    const { type, data } = this;
    this.type = null;
    this.data = [];
    this.length = 0;
    // JSON may have white space for the line breaks in it, and an event is one line here.
    return data.length > 0 ? { type, data: data.join(' ') } : null;
  }
}
