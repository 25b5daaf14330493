/**
 * Lines for a provider's batch API name the endpoint that they are for. Whether it is the one for
 * chat, whatever path stands before it.
 */
export function isChatUrl(url: string): boolean {
  return /\/chat\/completions(\?.*)?$/.test(url);
}

/**
 * What is wrong with the url of a line that is for another endpoint, as the end of a sentence about
 * the line.
 */
export function wrongUrl(shown: string): string {
  return `has the url ${shown}; only /v1/chat/completions is run`;
}

/** The same of a line that is to be sent otherwise. */
export function wrongMethod(shown: string): string {
  return `has the method ${shown}; only POST is run`;
}
