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
  let text = '';
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    // A return at the end may be the first half of a line's end.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    text = lines.pop() ?? '';
    if (text.length + event.length > maxBodyBytes) throw new BodyTooLarge();
    for (const line of lines) {
      const whole = event.add(line);
      if (whole) yield whole;
    }
  }
  // Some servers leave out the line that ends the last event.
  for (const line of [text.replace(/\r$/, ''), '']) {
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
