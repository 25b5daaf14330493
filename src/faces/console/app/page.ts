/** index.html of the app, and what stands in its place until the app is bundled. */
import { createHash } from 'node:crypto';
import type { Entry } from './assets.ts';

/**
 * Rights of the page: to load what this server serves, and to talk to this server. A script from
 * anywhere else does not run, wherever it comes from.
 */
const policy = (styles: string) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src ${styles}`,
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

export const securityHeaders = {
  'content-security-policy': policy("'self'"),
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

/** Styles of the page before the bundle is there: the frame, and grey bars for what comes. */
const noticeStyle = `
:root { color-scheme: light dark; --page: #faf8f3; --ink: #1d1b16; --line: #e8e2d5;
  --fill: #f3efe6; --grain: #c07f08 }
@media (prefers-color-scheme: dark) {
  :root { --page: #141310; --ink: #ece7db; --line: #312d25; --fill: #26231c; --grain: #e3a938 }
}
body { margin: 0; display: grid; grid-template-columns: 204px minmax(0, 1fr); min-height: 100vh;
  box-sizing: border-box; background: var(--page); color: var(--ink);
  font: 13px/20px system-ui, sans-serif }
header { border-right: 1px solid var(--line); padding: 18px 20px }
h1 { margin: 0; display: flex; gap: 9px; align-items: center; font: 650 15px/20px system-ui }
svg { fill: none; stroke: var(--grain); stroke-width: 1.7; stroke-linecap: round }
circle { fill: var(--grain); stroke: none }
main { padding: 22px 32px }
pre { margin: 0; font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }
i { display: block; height: 46px; margin-top: 12px; border-radius: 4px; background: var(--fill) }
@media (max-width: 720px) {
  body { display: block } header { border: 0; border-bottom: 1px solid var(--line) }
  main { padding: 14px 16px }
}
`;

export const noticeHeaders = {
  ...securityHeaders,
  'content-security-policy': policy(
    `'sha256-${createHash('sha256').update(noticeStyle).digest('base64')}'`,
  ),
} as const;

const bars = '<i></i>'.repeat(6);

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
<style>${noticeStyle}</style>
</head>
<body>
<header><h1><svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
<path d="M2.5 5h15M4.6 9h10.8M7 13h6"/><circle cx="10" cy="17.2" r="1.5"/></svg>Winnow</h1></header>
<main><pre role="status">${escapeHtml(sentence)}</pre>${again ? bars : ''}</main>
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
