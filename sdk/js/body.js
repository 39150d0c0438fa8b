// body.js - the body of a Request or a Response: what it can be made of and how it is read.
//
// A body is a record { kind, value, stream, isUsed, isShared }:
//   text    value: a string          bytes   value: a Uint8Array of our own
//   native  value: a request's stream number, nothing read yet
//   stream  stream: a ReadableStream
// Once .body was looked at, stream is set for every kind; text and bytes stay
// what they are, so that a body that was only looked at keeps its length.
// isShared: somebody else has the bytes too (a Blob, a clone), so only copies leave.

const { slice } = String.prototype;
const USED = 'Body has already been used. It can only be used once. Use tee() first if you need to read it twice.';
const LOCKED = 'This ReadableStream is currently locked to a reader.';

function newBody(kind, value, isShared = false) { return { kind, value, stream: null, isUsed: false, isShared }; }

function bytesFrom(value) {
  // Not slice(), which a subclass can give another meaning: nobody else may have these bytes.
  if (value instanceof ArrayBuffer) return new Uint8Array(new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return new Uint8Array(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  return native.pythonBytes(value);
}

// A mistake that is no error: said once in an instance, as it would come back with every request.
const said = Object.create(null);
internals.warnOnce = (text) => {
  if (said[text]) return;
  said[text] = true;
  native.log(2, text);
};

// What becomes a body by its String(), and hardly ever on purpose.
function warnOfText(value) {
  if (value instanceof Promise || (native.isPython(value) && typeof value.then === 'function'))
    internals.warnOnce('the body of a Request or Response is a promise or coroutine, and becomes its name: is an `await` missing?');
  else if (native.isPython(value) && typeof value[Symbol.asyncIterator] === 'function')
    internals.warnOnce('the body of a Request or Response is an asynchronous generator, and becomes its repr: '
      + 'ReadableStream.from_(generator) makes a body of it');
}

// [body, content type or null] of what a constructor was given (not null or undefined).
function extract(value) {
  if (typeof value === 'string') return [newBody('text', value), 'text/plain;charset=UTF-8'];
  if (typeof value === 'object' || typeof value === 'function') {
    if (internals.isStream(value)) {
      if (internals.isDisturbed(value) || value.locked)
        throw new TypeError('This ReadableStream is disturbed (has already been read from), and cannot be used as a body.');
      const body = newBody('stream', null);
      body.stream = value;
      return [body, null];
    }
    const blob = internals.bytesOfBlob(value);
    if (blob) return [newBody('bytes', blob, true), value.type || null];
    if (internals.isFormData(value)) {
      const [bytes, type] = internals.writeForm(value);
      return [newBody('bytes', bytes), type];
    }
    if (internals.isSearchParams(value)) return [newBody('text', internals.textOfParams(value)), 'application/x-www-form-urlencoded;charset=UTF-8'];
    const bytes = bytesFrom(value);
    if (bytes) return [newBody('bytes', bytes), null];
    warnOfText(value);
  }
  return [newBody('text', String(value)), 'text/plain;charset=UTF-8'];
}

function isUsed(body) {
  return body !== null && (body.isUsed || (body.stream !== null && internals.isDisturbed(body.stream)));
}

function bytesOf(body) {
  return body.kind === 'text' ? native.encode(body.value) : body.value;
}

function streamOf(body) {
  if (body === null) return null;
  if (!body.stream) {
    if (body.kind === 'native') {
      body.stream = internals.nativeStream(body.value);
      body.kind = 'stream';
      body.value = null;
    } else {
      const bytes = bytesOf(body);
      body.stream = internals.streamOfChunk(body.kind === 'bytes' ? new Uint8Array(bytes) : bytes);
    }
    if (body.isUsed) internals.takeNative(body.stream);
  }
  return body.stream;
}

// Nobody else may have it from here on.
function markUsed(body) {
  body.isUsed = true;
  if (body.stream && body.kind !== 'stream') internals.takeNative(body.stream);
}

function collectNative(id) {
  return new Promise((resolve, reject) => {
    native.bodyCollect(id, (buffer, error) => {
      if (buffer === undefined) reject(error ?? new TypeError('The request was cut off before its body was complete.'));
      else resolve(new Uint8Array(buffer));
    });
  });
}

async function collectStream(stream) {
  const reader = internals.lockStream(stream), chunks = [new Uint8Array(0)], isOwn = internals.givesOwn(stream);
  for (;;) {
    const { value, done } = await internals.readPromise(reader);
    if (done) return internals.concat(chunks);
    const bytes = internals.chunkBytes(value);
    if (!bytes) throw new TypeError('A body stream must give bytes (a Uint8Array), not ' + typeof value);
    chunks[chunks.length] = isOwn ? bytes : new Uint8Array(bytes);     // who gives chunks may use their memory again
  }
}

// UTF-8, without the mark at its start.
function decodeBody(bytes) { return withoutMark(native.decode(bytes, false)); }
function withoutMark(text) { return text[0] === '\ufeff' ? slice.call(text, 1) : text; }

// Read it all, as 'text', 'json', 'buffer', 'bytes', 'blob' or 'form'; typeOf gives the Content-Type or null.
async function consume(bodyOf, typeOf, object, as) {
  const body = bodyOf(object);
  if (body === null) return convert(new Uint8Array(0), null, as, false, typeOf, object);
  if (isUsed(body)) throw new TypeError(USED);
  if (body.stream?.locked) throw new TypeError(LOCKED);
  const id = body.kind === 'native' ? body.value : body.kind === 'stream' ? internals.nativeOf(body.stream) : 0;
  markUsed(body);
  if (body.kind === 'text') return convert(null, body.value, as, false, typeOf, object);
  if (body.kind === 'bytes') return convert(body.value, null, as, body.isShared, typeOf, object);
  if (id) {
    if (body.stream) internals.takeNative(body.stream);
    return convert(await collectNative(id), null, as, false, typeOf, object);
  }
  const gather = internals.gathererOf(body.stream);
  if (gather !== null) {
    internals.takeNative(body.stream);
    return convert(await gather(), null, as, false, typeOf, object);
  }
  return convert(await collectStream(body.stream), null, as, false, typeOf, object);
}

function convert(bytes, text, as, isShared, typeOf, object) {
  if (as === 'text') return text !== null ? internals.toUSVString(withoutMark(text)) : decodeBody(bytes);
  if (as === 'json') return JSON.parse(text !== null ? withoutMark(text) : decodeBody(bytes));
  bytes ??= native.encode(text);
  if (as === 'blob') return internals.makeBlob(bytes, native.mimeType(typeOf(object) ?? ''));
  if (as === 'form') return internals.readForm(bytes, typeOf(object));
  if (as === 'bytes') return isShared ? new Uint8Array(bytes) : bytes;
  return !isShared && bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : new Uint8Array(bytes).buffer;
}

// A second body with the same content; a stream is read by both from then on.
function cloneBody(body) {
  if (body === null) return null;
  if (isUsed(body)) throw new TypeError(USED);
  if (body.stream?.locked) throw new TypeError(LOCKED);
  if (body.kind === 'text' || body.kind === 'bytes') {
    body.isShared = true;
    return newBody(body.kind, body.value, true);
  }
  const branches = internals.teeStream(streamOf(body)), copy = newBody('stream', null);
  body.stream = branches[0];
  copy.stream = branches[1];
  return copy;
}

// Give a class the methods of the Body mixin; bodyOf(object) -> record or null,
// typeOf(object) -> its Content-Type or null.
internals.addBody = (constructor, bodyOf, typeOf) => {
  const methods = {
    get body() { return streamOf(bodyOf(this)); },
    get bodyUsed() { return isUsed(bodyOf(this)); },
    text() { return consume(bodyOf, typeOf, this, 'text'); },
    json() { return consume(bodyOf, typeOf, this, 'json'); },
    arrayBuffer() { return consume(bodyOf, typeOf, this, 'buffer'); },
    bytes() { return consume(bodyOf, typeOf, this, 'bytes'); },
    blob() { return consume(bodyOf, typeOf, this, 'blob'); },
    formData() { return consume(bodyOf, typeOf, this, 'form'); },
  };
  const descriptors = Object.getOwnPropertyDescriptors(methods);
  for (const d of Object.values(descriptors)) d.enumerable = false;
  Object.defineProperties(constructor.prototype, descriptors);
};
// The bytes of one chunk of a stream, or null.
internals.chunkBytes = (value) => {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return (typeof value === 'object' || typeof value === 'function') ? native.pythonBytes(value) ?? null : null;
};
// For console.log: a look must not turn a body into a stream, which has no length.
internals.shownBody = (body) => (body === null ? null : body.stream ??
  internals.standFor('ReadableStream', { locked: false, state: body.isUsed ? 'closed' : 'readable', supportsBYOB: true }));
Object.assign(internals, { decodeBody, markBodyUsed: markUsed, newBody, extractBody: extract, isBodyUsed: isUsed, bytesOfBody: bytesOf, streamOfBody: streamOf, cloneBody, BODY_USED: USED, BODY_LOCKED: LOCKED });
