// What the cases of this folder share.  A case is check(name, async () => {...}); run() gives
// [[name, what went wrong or null, how many things were checked]].
const cases = [];
let count = 0;

function check(name, body) { cases.push([name, body]); }
function show(value) {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  try { return JSON.stringify(value, (key, v) => (v === undefined ? 'undefined' : typeof v === 'bigint' ? `${v}n` : v)) ?? String(value); } catch { return String(value); }
}
function fail(text) { throw new Error(text); }
function ok(value, what = 'true') { count++; if (!value) fail(`expected ${what}`); }
function is(got, wanted, what = '') { count++; if (!Object.is(got, wanted)) fail(`${what} ${show(got)} instead of ${show(wanted)}`); }
function same(got, wanted, what = '') { count++; if (show(got) !== show(wanted)) fail(`${what} ${show(got)} instead of ${show(wanted)}`); }
function throws(type, f, what = '') {
  count++;
  try { f(); } catch (e) {
    if (!(typeof type === 'function' ? e instanceof type : e === type)) fail(`${what} threw ${show(e)}`);
    return;
  }
  fail(`${what} did not throw`);
}
async function rejects(type, promise, what = '') {
  count++;
  if (!(promise instanceof Promise)) fail(`${what} gave no promise`);
  let value;
  try { value = await promise; } catch (e) {
    if (!(typeof type === 'function' ? e instanceof type : e === type)) fail(`${what} rejected with ${show(e)}`);
    return;
  }
  fail(`${what} was fulfilled with ${show(value)}`);
}
// All microtasks and then some.
function flush() { return new Promise((resolve) => setTimeout(resolve, 0)); }
async function state(promise) {
  let now = 'pending';
  promise.then(() => { now = 'fulfilled'; }, () => { now = 'rejected'; });
  await flush();
  return now;
}
async function all(stream) {
  const reader = stream.getReader(), got = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return got;
    got.push(value);
  }
}
function of(...chunks) {
  return new ReadableStream({ start(c) { for (const chunk of chunks) c.enqueue(chunk); c.close(); } });
}
// A sink that writes down what happens to it.
function recorder(extra = {}, strategy = undefined) {
  const events = [];
  const sink = new WritableStream({
    start(c) { this.c = c; sinks.set(events, c); return extra.start?.(c); },
    write(chunk, c) { events.push('write', chunk); return extra.write?.(chunk, c); },
    close() { events.push('close'); return extra.close?.(); },
    abort(reason) { events.push('abort', reason); return extra.abort?.(reason); },
  }, strategy);
  return { sink, events, controller: sinks.get(events) };
}
const sinks = new Map();
const boom = new Error('boom'), bang = new Error('bang');

async function run(seconds) {
  const results = [];
  for (const [name, body] of cases) {
    let wrong = null, timer;
    const before = count;
    const late = new Promise((resolve, reject) => { timer = setTimeout(() => reject(new Error('it hangs')), seconds * 1000); });
    try { await Promise.race([body(), late]); } catch (e) { wrong = `${show(e)}\n${e?.stack}`; }
    clearTimeout(timer);
    results.push([name, wrong, count - before]);
  }
  return JSON.stringify(results);
}
// Detach a buffer.
function structuredClone0(buffer) { return buffer.transfer(); }
