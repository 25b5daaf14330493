/**
 * A webhook's URL with its host as URLs have it: `https://ex%61mple.com:443/a` calls example.com,
 * and counts for it. All behind the host stays as it was given.
 */
export function withPlainHost(url: string): string {
  const { protocol, host } = new URL(url);
  const rest = url.replace(/^[^:]*:\/*[^/?#]*/, '');
  return `${protocol}//${host}${rest}`;
}
