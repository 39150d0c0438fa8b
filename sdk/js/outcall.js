// outcall.js - what scripts ask of the node: fetch, and what bindings do.
//
// At most HOST_OUTCALLS_MAX calls are under way; further ones wait here in
// their order, QUEUE_MAX of them.

const QUEUE_MAX = 10000;
const { Promise } = globalThis;
const queue = [];       // { resolve, reject } of those that wait
let queueAt = 0;

// The first line is for the message, what stands behind it is the cause.
internals.networkError = (text) => {
  const at = text.indexOf('\n');
  if (at < 0) return new TypeError(text);
  return new TypeError(text.slice(0, at), { cause: new Error(text.slice(at + 1)) });
};

// Called by C when there is room.
function admit() {
  for (let room = native.outcallRoom(); room > 0 && queueAt < queue.length; room--) queue[queueAt++].resolve();
  if (queueAt === queue.length) {
    queue.length = 0;
    queueAt = 0;
  } else {
    if (queueAt >= QUEUE_MAX) queue.splice(0, queueAt), queueAt = 0;
    native.outcallWait(admit);
  }
}

function room() {
  if (queue.length - queueAt >= QUEUE_MAX) throw new TypeError(`Too many subrequests: ${QUEUE_MAX} wait already.`);
  return new Promise((resolve, reject) => {
    queue.push({ resolve, reject });
    if (queue.length - queueAt === 1) native.outcallWait(admit);
  });
}

// What the node is sent as the body of a call: [what native.outcall takes, the
// number of an incoming body that becomes it, or a stream to pump].
function bodyToSend(body) {
  if (body === null) return { whole: null };
  if (internals.isBodyUsed(body)) throw new TypeError(internals.BODY_USED);
  if (body.stream?.locked) throw new TypeError('This ReadableStream is currently locked to a reader.');
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
// signal: an AbortSignal or null }.  Resolves to { status, results, headers: lines, body: stream number
// or 0, length }; rejects with a TypeError, or with the signal's reason.
internals.outcall = async (call) => {
  const { signal } = call;
  let id = 0, giveUp;
  if (signal && internals.isAborted(signal)) throw internals.abortReason(signal);
  const stopped = signal && new Promise((resolve, reject) => { giveUp = reject; });
  const onAbort = (reason) => {
    giveUp(reason);
    if (id) native.outcallCancel(id, reason);
  };
  if (signal) {
    stopped.then(undefined, () => {});
    internals.addAbortAlgorithm(signal, onAbort);
    call.over = () => internals.removeAbortAlgorithm(signal, onAbort);
  }
  try {
    const body = bodyToSend(call.body);
    while (native.outcallRoom() === 0) await (signal ? Promise.race([room(), stopped]) : room());
    return await new Promise((resolve, reject) => {
      id = start(call, body, (error, status, results, headers, stream, length) => {
        if (status === undefined) reject(error);
        else resolve({ status, results, headers, body: stream, length });
      });
    });
  } catch (e) {
    if (signal && !id) call.over();
    throw e;
  }
};
