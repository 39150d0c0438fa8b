// outcall.js - what scripts ask of the node: fetch, and what bindings do.
//
// At most HOST_OUTCALLS_MAX calls are under way; further ones wait here in
// their order, QUEUE_MAX of them.

const QUEUE_MAX = 10000, TOO_MANY = `Too many subrequests: ${QUEUE_MAX} wait already.`;
const TOO_MANY_MADE = 'Too many subrequests by single Worker invocation.';     // the node's; what Cloudflare throws is a plain Error
const { Promise } = globalThis;
const queue = new internals.OwnSet();        // { resolve } of those that wait, oldest first

// The first line is for the message, what stands behind it is the cause.
internals.networkError = (text) => {
  const at = text.indexOf('\n'), Kind = text.startsWith(TOO_MANY_MADE) ? Error : TypeError;
  if (at < 0) return new Kind(text);
  return new Kind(text.slice(0, at), { cause: new Error(text.slice(at + 1)) });
};

// Called by C when a call has ended.  Who is let in looks again: another may have been faster.
function admit() {
  let room = native.outcallRoom();
  for (const waiter of queue) {
    if (room-- <= 0) break;
    queue.delete(waiter);
    waiter.resolve();
  }
  if (queue.size > 0) native.outcallWait(admit);
}

// Wait for a call to end, or for the signal.
function room(signal) {
  if (queue.size >= QUEUE_MAX) throw new TypeError(TOO_MANY);
  return new Promise((resolve, reject) => {
    const onAbort = (reason) => {
      queue.delete(waiter);
      reject(reason);
    };
    const waiter = {
      resolve() {
        if (signal) internals.removeAbortAlgorithm(signal, onAbort);
        resolve();
      },
    };
    queue.add(waiter);
    if (queue.size === 1) native.outcallWait(admit);
    if (signal) internals.addAbortAlgorithm(signal, onAbort);
  });
}

// start() as soon as a call may be made, behind all that wait; or fail(error).  start makes the call at once, and throws nothing.
internals.whenRoom = (start, fail) => {
  needRequest();
  if (queue.size === 0 && native.outcallRoom() > 0) {
    start();
  } else if (queue.size >= QUEUE_MAX) {
    fail(new TypeError(TOO_MANY));
  } else {
    queue.add({ resolve: start });
    if (queue.size === 1) native.outcallWait(admit);
  }
};

// A promise for Python's clients: a call may be made, perhaps, when it resolves.
internals.roomForCall = () => new Promise((resolve, reject) => internals.whenRoom(resolve, reject));

// What becomes the body of a call: whole, for native.outcall, and where that is
// only a length, the number of an incoming body to relay or a stream to send.
function bodyToSend(body) {
  if (body === null) return { whole: null };
  if (internals.isBodyUsed(body)) throw new TypeError(internals.BODY_USED);
  if (body.stream?.locked) throw new TypeError(internals.BODY_LOCKED);
  if (body.kind === 'text' || body.kind === 'bytes') {
    internals.markBodyUsed(body);
    return { whole: body.value };
  }
  const stream = internals.streamOfBody(body), source = internals.nativeOf(stream);
  if (!source) return { whole: internals.lengthOfStream(stream), stream };
  internals.takeNative(stream);
  return { whole: native.bodyLength(source), source };
}

function start(call, body, settle) {
  const id = native.outcall(call.request, call.binding, call.method, call.arguments, call.headers ?? '', body.whole, settle, call.over);
  if (body.source) native.outcallRelay(id, body.source);
  else if (body.stream) internals.sendStream(id, body.stream, (e) => native.outcallCancel(id, e));
  return id;
}

// call: { request, binding, method, arguments: [name, value, ...], headers: lines, body: record or null,
// isDuplex: what it sends comes later, by other ways,
// signal: an AbortSignal or null }.  Resolves to { status, results, headers: lines, body: stream number
// or 0, length }; rejects with a TypeError, or with the signal's reason.
const needRequest = () => { if (internals.isScript() && !internals.isServing()) throw new Error(internals.GLOBAL_SCOPE); };

internals.outcall = async (call) => {
  needRequest();
  const { signal } = call;
  if (signal && internals.isAborted(signal)) throw internals.abortReason(signal);
  const body = call.isDuplex ? { whole: -1 } : bodyToSend(call.body);
  while (native.outcallRoom() === 0) await room(signal);
  if (signal && internals.isAborted(signal)) throw internals.abortReason(signal);
  return await new Promise((resolve, reject) => {      // `await`: returned as it is, its then() would be called
    let id = 0;
    const onAbort = (reason) => native.outcallCancel(id, reason);
    if (signal) call.over = () => internals.removeAbortAlgorithm(signal, onAbort);
    id = start(call, body, (error, status, results, headers, stream, length) => {
      if (status === undefined) reject(error);
      else resolve({ status, results, headers, body: stream, length });
    });
    if (signal) internals.addAbortAlgorithm(signal, onAbort);
  });
};
