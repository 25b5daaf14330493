/** index.html of the app, and what stands in its place until the app is bundled. */
import { createHash } from 'node:crypto';
import type { Entry } from './assets.ts';

/**
 * Rights of the page: to load what this server serves, and to talk to this server. A script from
 * anywhere else does not run, wherever it comes from.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "font-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const securityHeaders = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/** `root` is the path that the server's addresses begin with, without a slash at the end. */
export function renderIndex({ script, style, theme, font }: Entry, root: string): string {
  const asset = (name: string) => escapeHtml(`${root}/console/assets/${name}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="winnow-root" content="${escapeHtml(root)}">
<link rel="icon" href="data:,">
<title>Winnow</title>
<script src="${asset(theme)}"></script>
<link rel="preload" href="${asset(font)}" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="${asset(style)}">
<script type="module" src="${asset(script)}"></script>
</head>
<body>
<div id="app"></div>
<noscript>The console is a program for the browser: it needs JavaScript.</noscript>
</body>
</html>
`;
}

/** A page that says one thing; it loads itself again where `again` is true. */
export function renderNotice(sentence: string, { again }: { again: boolean }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
${again ? '<meta http-equiv="refresh" content="1">\n' : ''}<title>Winnow</title>
</head>
<body>
<h1>Winnow</h1>
<pre>${escapeHtml(sentence)}</pre>
</body>
</html>
`;
}

export function etagOf(page: string): string {
  return `"${createHash('sha256').update(page).digest('base64url').slice(0, 22)}"`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
