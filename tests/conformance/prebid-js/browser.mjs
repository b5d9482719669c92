// What Prebid.js needs of a browser: a document, and a `fetch` that asks other origins first (CORS), as browsers do.
// Nothing leaves this machine: requests to other hosts are noted and get an empty answer.
import { JSDOM } from 'jsdom';

const TAKEN = [
  'document', 'frames', 'navigator', 'location', 'localStorage', 'sessionStorage', 'history', 'screen', 'innerWidth', 'innerHeight',
  'addEventListener', 'removeEventListener', 'dispatchEvent', 'getComputedStyle', 'Event', 'CustomEvent', 'Node', 'Element',
  'HTMLElement', 'HTMLIFrameElement', 'MutationObserver', 'DOMParser', 'XMLHttpRequest',
];

/** Makes this process a page at an address. Returns every exchange with a server, in order. */
export function open(page) {
  const { window } = new JSDOM('<!doctype html><body></body>', { url: page });
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  for (const name of TAKEN) {
    const value = window[name];
    define(name, typeof value === 'function' && /^[a-z]/.test(name) ? value.bind(window) : value);
  }
  for (const name of ['window', 'self', 'top', 'parent']) define(name, globalThis);
  const log = [];
  define('fetch', fetchAs(window.location.origin, globalThis.fetch, log));
  return log;
}

function fetchAs(origin, send, log) {
  return async (resource, options) => {
    const request = new Request(resource, options);
    const entry = { method: request.method, url: request.url, headers: Object.fromEntries(request.headers) };
    log.push(entry);
    if (!['127.0.0.1', '[::1]', 'localhost'].includes(new URL(request.url).hostname)) {
      return new Response(null, { status: 204 });
    }
    await preflight(origin, request, send, entry);
    entry.body = await request.text();
    const headers = new Headers(request.headers);
    headers.set('origin', origin);
    const answer = await send(request.url, { method: request.method, headers, body: entry.body });
    entry.status = answer.status;
    entry.answer = await answer.text();
    entry.allowed = answer.headers.get('access-control-allow-origin');
    require([origin, '*'].includes(entry.allowed), 'the answer is not for this origin');
    require(!answer.headers.has('set-cookie'), 'the answer sets a cookie');
    return new Response(entry.answer, { status: answer.status, headers: answer.headers });
  };
}

/** The question before the question: our requests always need it, for their content type and their own header. */
async function preflight(origin, request, send, entry) {
  const wanted = [...request.headers.keys()].filter((name) => !['accept', 'accept-language'].includes(name)).sort();
  const headers = {
    origin,
    'access-control-request-method': request.method,
    'access-control-request-headers': wanted.join(','),
  };
  const answer = await send(request.url, { method: 'OPTIONS', headers });
  entry.preflight = { status: answer.status, headers: Object.fromEntries(answer.headers) };
  const list = (name) => (answer.headers.get(name) ?? '').toLowerCase().split(',').map((item) => item.trim());
  require(answer.ok, `the preflight is answered ${answer.status}`);
  require([origin, '*'].includes(answer.headers.get('access-control-allow-origin')), 'the origin is not allowed');
  require(list('access-control-allow-methods').includes(request.method.toLowerCase()), 'the method is not allowed');
  for (const name of wanted) require(list('access-control-allow-headers').includes(name), `${name} is not allowed`);
}

function require(holds, message) {
  if (!holds) throw new TypeError(`CORS: ${message}`);
}
