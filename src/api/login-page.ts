/** The login page's HTML: plain, readable by screen readers, and without a line of script. */
import { createHash } from 'node:crypto';

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { display: grid; place-items: center; min-height: 100vh; margin: 0; }
main { width: min(22rem, calc(100vw - 2rem)); }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { margin: 0.25rem 0 1rem; padding: 0.5rem; }
[role='alert'] { border-inline-start: 0.25rem solid #b3261e; padding-inline-start: 0.75rem; }
`;

/** The Content-Security-Policy source that allows this page's style and no other. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/**
 * Asks for the key.
 * @param next where the login leads; a local path
 * @param mistake what was wrong with the last try
 */
export function keyPage({ next, mistake }: { next: string; mistake?: string }): string {
  const described = mistake === undefined ? '' : ' aria-invalid="true" aria-describedby="mistake"';
  return pageOf(`
    <h1>Log in to packline</h1>
    ${mistake === undefined ? '' : `<p id="mistake" role="alert">${escaped(mistake)}</p>`}
    <form method="post" action="/login">
      <input type="hidden" name="next" value="${escaped(next)}">
      <label for="key">API key</label>
      <input id="key" name="key" type="password" autocomplete="current-password" required autofocus${described}>
      <button type="submit">Log in</button>
    </form>`);
}

/** For a browser that has a session: on to the page, or out. */
export function sessionPage(next: string): string {
  return pageOf(`
    <h1>You are logged in</h1>
    <p><a href="${escaped(next)}">Continue</a></p>
    <form method="post" action="/logout">
      <button type="submit">Log out</button>
    </form>`);
}

function pageOf(content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>packline: log in</title>
  <style>${STYLE}</style>
</head>
<body>
  <main>${content}
  </main>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
