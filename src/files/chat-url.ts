/** True of a line for the chat endpoint, at whatever path. */
export function isChatUrl(url: string): boolean {
  return /\/chat\/completions(\?.*)?$/.test(url);
}

/** The fault of the url of a line for another endpoint, as the end of a sentence. */
export function wrongUrl(shown: string): string {
  return `has the url ${shown}; only /v1/chat/completions is run`;
}

/** The same of a line that is to be sent otherwise. */
export function wrongMethod(shown: string): string {
  return `has the method ${shown}; only POST is run`;
}
