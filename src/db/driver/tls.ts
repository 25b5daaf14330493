/**
 * The URL of a database as `pg` must have it: with sslmode=require, `pg` would check the
 * certificate as with verify-full. postgres.js and libpq ask for none.
 */
export function urlForPg(url: string): string {
  const asksForNone = /[?&]sslmode=(?:require|prefer)(?:&|$)/.test(url);
  return asksForNone && !url.includes('uselibpqcompat=') ? `${url}&uselibpqcompat=true` : url;
}
