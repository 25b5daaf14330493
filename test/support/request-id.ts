/** `text` of an answer in JSON, without the ids of requests: each request has one of its own. */
export function withoutRequestIds(text: string): string {
  return text.replaceAll(/,"requestId":"[^"]*"/g, '');
}
