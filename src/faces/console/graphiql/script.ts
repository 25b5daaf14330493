/**
 * Script of the page beside GraphiQL: the text of a function that takes `page`, {hints, withKeys},
 * and makes options of GraphiQL. A browser runs the text as it stands here, in JavaScript.
 */
export const graphiqlScript = `(page) => {
  const prompt =
    'This server needs a key. It stays in this tab, and is forgotten when that is closed.';
  const missing = 'This server needs a key. Give it in the field at the top.';
  // The entry that the console keeps its key in: the two pages of a tab share one.
  const entry = 'winnow.key';
  let key = page.withKeys ? sessionStorage.getItem(entry) ?? '' : '';
  let accepted = !page.withKeys;
  const waiting = [];
  const streams = new Set();
  let field = page.withKeys ? showField() : null;
  if (field && key !== '') {
    tell('Asking the server …', '');
    checkKey();
  } else tell(prompt, '');

  function showField() {
    const bar = document.createElement('form');
    bar.className = 'winnow-key';
    // No password for the browser: it would offer to keep it.
    bar.innerHTML = '<label>API key <input name="key" type="text" placeholder="paste it here"' +
      ' autocomplete="off" autocapitalize="off" spellcheck="false"' +
      ' data-1p-ignore data-lpignore="true"></label><output></output>';
    document.body.classList.add('winnow-keys');
    document.getElementById('root').before(bar);
    const input = bar.querySelector('input');
    let timer;
    const use = (delayMs) => {
      clearTimeout(timer);
      changeKey(input.value.trim().replace(/^Bearer\\s+/i, ''));
      if (key !== '') timer = setTimeout(checkKey, delayMs);
    };
    input.addEventListener('input', () => use(300));
    bar.addEventListener('submit', (event) => { event.preventDefault(); use(0); });
    input.value = key;
    if (key === '') input.focus();
    return { input, output: bar.querySelector('output') };
  }

  function changeKey(given) {
    const isKey = /^[\\w~.-]*$/.test(given);
    const next = isKey ? given : '';
    if (next === key && isKey) return;
    key = next;
    accepted = false;
    sessionStorage.removeItem(entry);
    for (const stream of streams) stream.abort();
    if (!isKey) tell('A key has letters, digits and . _ ~ - only.', 'refused');
    else tell(key === '' ? prompt : 'Asking the server …', '');
  }

  async function checkKey() {
    const asked = key;
    try {
      const { status } = await post({ query: '{ __typename }' });
      if (status === 200 || status === 401 || asked !== key) return;
      tell('The server could not be asked: status ' + status + '.', 'refused');
    } catch {
      if (asked === key) tell('The server does not answer.', 'refused');
    }
  }

  function tell(text, state) {
    if (!field) return;
    field.output.textContent = text;
    field.output.dataset.state = state;
  }

  // Of a page that was opened before the server had its first key.
  function askForKey() {
    if (field) return;
    accepted = false;
    field = showField();
    tell(missing, 'refused');
  }

  async function post(body, { headers = {}, accept = 'application/json', signal } = {}) {
    const sent = new Headers({ 'content-type': 'application/json', accept });
    if (key !== '') sent.set('authorization', 'Bearer ' + key);
    for (const [name, value] of Object.entries(headers)) sent.set(name, value);
    const asked = key;
    const own = asked !== '' && sent.get('authorization') === 'Bearer ' + asked;
    const request = { method: 'POST', headers: sent, body: JSON.stringify(body), signal };
    const response = await fetch(location.pathname, request);
    if (own && asked === key) judge(response.status);
    else if (response.status === 401 && !sent.has('authorization')) askForKey();
    return response;
  }

  function judge(status) {
    if (status === 401) {
      const told = accepted ? 'takes this key no more.' : 'does not know this key.';
      tell('The server ' + told, 'refused');
      accepted = false;
      sessionStorage.removeItem(entry);
    } else if (status === 200) {
      accepted = true;
      sessionStorage.setItem(entry, key);
      tell('Used for every request of this tab; forgotten when it is closed.', 'accepted');
      for (const go of waiting.splice(0)) go();
    }
  }

  function hasOwnKey(headers = {}) {
    return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  }

  function isRefusal({ errors = [] }) {
    return errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED');
  }

  function readJson(text) {
    try {
      return JSON.parse(text);
    } catch {
      return { errors: [{ message: 'The server answered no JSON: ' + text.slice(0, 200) }] };
    }
  }

  async function ask(body, headers) {
    const answer = readJson(await (await post(body, { headers })).text());
    const hint = page.hints[body.operationName];
    const isEmpty = Object.values(answer.data ?? {}).some((list) => list?.totalCount === 0);
    return hint && isEmpty ? { ...answer, extensions: { ...answer.extensions, hint } } : answer;
  }

  // An observable, which GraphiQL can end at any time.
  function subscribe(body, headers) {
    return {
      subscribe(observer) {
        const gone = new AbortController();
        let ended = false;
        streams.add(gone);
        const hint = page.hints[body.operationName];
        const next = (event) => {
          clearTimeout(timer);
          if (!ended) observer.next(event);
        };
        const timer = setTimeout(() => hint && next({ extensions: { hint } }), 1_000);
        read(body, headers, gone.signal, next)
          .catch((error) => {
            const why = gone.signal.aborted
              ? 'The key was changed'
              : 'The connection broke off (' + error.message + ')';
            next({ errors: [{ message: why + ': run this again.' }] });
          })
          .finally(() => {
            clearTimeout(timer);
            streams.delete(gone);
            if (!ended) observer.complete();
          });
        return { unsubscribe() { ended = true; gone.abort(); } };
      },
    };
  }

  async function read(body, headers, signal, next) {
    const response = await post(body, { headers, accept: 'text/event-stream', signal });
    if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
      next(readJson(await response.text()));
      return;
    }
    let text = '';
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += part.value;
      const events = text.split('\\n\\n');
      text = events.pop();
      for (const piece of events) {
        const lines = piece.split('\\n');
        if (lines.includes('event: complete')) return;
        const data = lines.find((line) => line.startsWith('data: '));
        if (!lines.includes('event: next') || !data) continue;
        const event = JSON.parse(data.slice(6));
        // The key has ended, and the stream with it.
        if (!hasOwnKey(headers) && isRefusal(event)) key === '' ? askForKey() : judge(401);
        next(event);
      }
    }
    throw new Error('it ended before its end');
  }

  async function fetcher({ query, variables, operationName }, given = {}) {
    const headers = given.headers ?? {};
    // What GraphiQL knows of a tab that has just been opened is of the one before.
    const heads = /^\\s*(query|mutation|subscription)\\b\\s*(\\w+)?/gm;
    const operations = [...query.replace(/#.*/g, '').matchAll(heads)];
    const chosen = operations.find(([, , name]) => name === operationName) ?? operations[0];
    const body = { query, variables, operationName: chosen?.[2] };
    const hasOwn = hasOwnKey(headers);
    if (!('documentAST' in given) && !hasOwn) {
      // The schema, for which there is time until a key is accepted.
      while (!accepted) await new Promise((go) => waiting.push(go));
      return ask(body, headers);
    }
    if (field && key === '' && !hasOwn) {
      field.input.focus();
      return { errors: [{ message: missing, extensions: { code: 'UNAUTHENTICATED' } }] };
    }
    return chosen?.[1] === 'subscription' ? subscribe(body, headers) : ask(body, headers);
  }

  // GraphiQL keeps the headers of tabs and of its history, and they may hold a key.
  const keeping = ['graphiql:tabState', 'graphiql:queries', 'graphiql:favorites'];
  function withoutHeaders(text) {
    return JSON.stringify(JSON.parse(text), (name, value) => (name === 'headers' ? null : value));
  }
  const storage = {
    get length() { return localStorage.length; },
    getItem: (name) => localStorage.getItem(name),
    setItem(name, text) {
      if (name === 'graphiql:headers') return;
      localStorage.setItem(name, keeping.includes(name) ? withoutHeaders(text) : text);
    },
    removeItem: (name) => localStorage.removeItem(name),
    clear: () => localStorage.clear(),
  };
  localStorage.removeItem('graphiql:headers');
  for (const name of keeping) {
    const text = localStorage.getItem(name);
    try { if (text !== null) storage.setItem(name, text); } catch { localStorage.removeItem(name); }
  }

  // A link in an answer opens by a plain click: its editor is shown one with the key that it wants.
  let pressed = null;
  const withKey = (event) => {
    if (event.type === 'mousedown') {
      const link = event.target.closest?.('.result-window .detected-link');
      pressed = link && event.button === 0 ? event : null;
    }
    if (!pressed || Math.hypot(event.x - pressed.x, event.y - pressed.y) > 3) return;
    const wanted = navigator.platform.startsWith('Mac') ? 'metaKey' : 'ctrlKey';
    Object.defineProperty(event, wanted, { value: true });
  };
  for (const type of ['mousedown', 'mouseup']) addEventListener(type, withKey, true);

  return { fetcher, storage, shouldPersistHeaders: false, showPersistHeadersSettings: false };
}`;
