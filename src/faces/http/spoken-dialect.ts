import type { IncomingMessage } from 'node:http';

/**
 * Whose API a request under /v1 speaks; null outside of /v1. Anthropic's where the path is one of
 * its messages, or an anthropic-version header says so.
 */
export function spokenDialect({
  url = '',
  headers,
}: IncomingMessage): 'openai' | 'anthropic' | null {
  const [path = ''] = url.split('?', 1);
  if (!/^\/v1(\/|$)/.test(path)) return null;
  const isAnthropic = /^\/v1\/messages(\/|$)/.test(path);
  return isAnthropic || headers['anthropic-version'] !== undefined ? 'anthropic' : 'openai';
}
