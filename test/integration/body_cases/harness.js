// Run inside a worker in front of a file of cases: what they call, and the answer they give.
const outcome = { checks: 0, failures: [] };
let current = '';
const show = (value) => (typeof value === 'string' ? JSON.stringify(value) : value instanceof Error ? `${value.name}: ${value.message}` : String(value));
function fail(text) { outcome.failures.push(`${current}: ${text}`); }
function equal(got, wanted, what = '') {
  outcome.checks++;
  if (!Object.is(got, wanted)) fail(`${what} got ${show(got)}, wanted ${show(wanted)}`);
}
function same(got, wanted, what = '') { equal(JSON.stringify(got), JSON.stringify(wanted), what); }
function ok(value, what = '') { equal(Boolean(value), true, what); }
function throws(kind, f, what = '') {
  outcome.checks++;
  try { f(); } catch (e) {
    if (typeof kind === 'function' ? !(e instanceof kind) : e !== kind) fail(`${what} threw ${show(e)}`);
    return;
  }
  fail(`${what} did not throw`);
}
async function rejects(kind, promise, what = '') {
  outcome.checks++;
  try { await (typeof promise === 'function' ? promise() : promise); } catch (e) {
    if (typeof kind === 'function' ? !(e instanceof kind) : e !== kind) fail(`${what} rejected with ${show(e)}`);
    return;
  }
  fail(`${what} did not reject`);
}
const bytesOf = (...items) => new Uint8Array(items);
const utf8 = (text) => new TextEncoder().encode(text);
async function readAll(stream) {
  const reader = stream.getReader(), got = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return got;
    got.push(...value);
  }
}
async function test(name, f) {
  current = name;
  try { await f(); } catch (e) { fail(`unexpected ${show(e)}`); }
}
