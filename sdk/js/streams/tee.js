// tee.js - one stream as two, of chunks and of bytes.
//
// The faster branch sets the pace; what the slower one has not read waits in
// its queue, as the standard says.

const streams = internals.streams;
const {
  NOTHING, then, deferred, lock, release, readFrom, cancelStream, makeStream, enqueue,
  closeController, errorController, makeByteStream, viewOf, copyOf, lockByob, readInto, enqueueBytes, closeBytes, errorBytes,
  respondBytes, respondBytesWithView, byobRequestOf,
} = streams;
const { isView } = ArrayBuffer;

// What both kinds share: the branches' cancels meet here.
function newTee(stream) {
  return { stream, reader: lock(stream), isReading: false, isCancelled: [false, false], reasons: [undefined, undefined], cancelled: deferred(), branches: [null, null] };
}
function cancelBranch(t, n, reason) {
  t.isCancelled[n] = true;
  t.reasons[n] = reason;
  if (t.isCancelled[1 - n]) t.cancelled.resolve(cancelStream(t.stream, [t.reasons[0], t.reasons[1]]));
  return t.cancelled.promise;
}
function endIfNobody(t) { if (!t.isCancelled[0] || !t.isCancelled[1]) t.cancelled.resolve(undefined); }

// ---- chunks ----

// isCopying: the second branch gets copies of bytes, for a body's clone().
function teeChunks(stream, isCopying) {
  const t = newTee(stream);
  let readAgain = false;
  const request = {
    chunk(chunk) {
      then(NOTHING, () => {
        readAgain = false;
        if (!t.isCancelled[0]) enqueue(t.branches[0].controller, chunk);
        if (!t.isCancelled[1]) enqueue(t.branches[1].controller, isCopying && isView(chunk) ? copyOf(chunk) : chunk);
        t.isReading = false;
        if (readAgain) pull();
      });
    },
    close() {
      t.isReading = false;
      for (let n = 0; n < 2; n++) if (!t.isCancelled[n]) closeController(t.branches[n].controller);
      endIfNobody(t);
    },
    error() { t.isReading = false; },
  };
  function pull() {
    if (t.isReading) {
      readAgain = true;
      return NOTHING;
    }
    t.isReading = true;
    readFrom(t.reader, request);
    return NOTHING;
  }
  for (let n = 0; n < 2; n++) t.branches[n] = makeStream({ pull, cancel: (reason) => cancelBranch(t, n, reason) });
  then(t.reader.closed.promise, undefined, (e) => {
    for (let n = 0; n < 2; n++) errorController(t.branches[n].controller, e);
    endIfNobody(t);
  });
  return { first: t.branches[0], second: t.branches[1] };
}

// ---- bytes ----

// Reads come through a default reader until a branch asks with a buffer of its
// own; then through a BYOB reader, into that buffer.
class ByteTee {
  constructor(stream) {
    this.t = newTee(stream);
    this.readAgain = [false, false];
    for (let n = 0; n < 2; n++)
      this.t.branches[n] = makeByteStream({ pull: () => this.pull(n), cancel: (reason) => cancelBranch(this.t, n, reason) });
    this.forwardError(this.t.reader);
  }

  controller(n) { return this.t.branches[n].controller; }

  forwardError(reader) {
    then(reader.closed.promise, undefined, (e) => {
      if (reader !== this.t.reader) return;
      for (let n = 0; n < 2; n++) errorBytes(this.controller(n), e);
      endIfNobody(this.t);
    });
  }

  useReader(isByob) {
    const { t } = this;
    if ((t.reader.intos !== null) === isByob) return;
    release(t.reader);
    t.reader = isByob ? lockByob(t.stream) : lock(t.stream);
    this.forwardError(t.reader);
  }

  fail(e) {
    for (let n = 0; n < 2; n++) errorBytes(this.controller(n), e);
    this.t.cancelled.resolve(cancelStream(this.t.stream, e));
  }

  pull(n) {
    const { t } = this;
    if (t.isReading) {
      this.readAgain[n] = true;
      return NOTHING;
    }
    t.isReading = true;
    const request = byobRequestOf(this.controller(n));
    if (request) this.pullInto(request.view, n);
    else this.pullChunk();
    return NOTHING;
  }

  next() {
    this.t.isReading = false;
    if (this.readAgain[0]) this.pull(0);
    else if (this.readAgain[1]) this.pull(1);
  }

  pullChunk() {
    const { t } = this;
    this.useReader(false);
    readFrom(t.reader, {
      chunk: (chunk) => {
        then(NOTHING, () => {
          this.readAgain = [false, false];
          let second = chunk;
          if (!t.isCancelled[0] && !t.isCancelled[1]) {
            try { second = copyOf(chunk); } catch (e) {
              this.fail(e);
              return;
            }
          }
          if (!t.isCancelled[0]) enqueueBytes(this.controller(0), viewOf(chunk));
          if (!t.isCancelled[1]) enqueueBytes(this.controller(1), viewOf(second));
          this.next();
        });
      },
      close: () => {
        t.isReading = false;
        for (let n = 0; n < 2; n++) if (!t.isCancelled[n]) closeBytes(this.controller(n));
        for (let n = 0; n < 2; n++) if (this.controller(n).pending.length > 0) respondBytes(this.controller(n), 0);
        endIfNobody(t);
      },
      error: () => { t.isReading = false; },
    });
  }

  pullInto(view, n) {
    const { t } = this, own = this.controller(n), other = this.controller(1 - n);
    this.useReader(true);
    readInto(t.reader, viewOf(view), 1, {
      chunk: (chunk) => {
        then(NOTHING, () => {
          this.readAgain = [false, false];
          const isOwnGone = t.isCancelled[n];
          if (!t.isCancelled[1 - n]) {
            let copy;
            try { copy = copyOf(chunk); } catch (e) {
              this.fail(e);
              return;
            }
            if (!isOwnGone) respondBytesWithView(own, viewOf(chunk));
            enqueueBytes(other, viewOf(copy));
          } else if (!isOwnGone) respondBytesWithView(own, viewOf(chunk));
          this.next();
        });
      },
      close: (chunk) => {
        t.isReading = false;
        const isOwnGone = t.isCancelled[n], isOtherGone = t.isCancelled[1 - n];
        if (!isOwnGone) closeBytes(own);
        if (!isOtherGone) closeBytes(other);
        if (chunk !== undefined) {
          if (!isOwnGone) respondBytesWithView(own, viewOf(chunk));
          if (!isOtherGone && other.pending.length > 0) respondBytes(other, 0);
        }
        if (!isOwnGone || !isOtherGone) t.cancelled.resolve(undefined);
      },
      error: () => { t.isReading = false; },
    });
  }
}

// { first, second }: records.
streams.tee = (stream, isCopying) => {
  if (!stream.controller.isBytes) return teeChunks(stream, isCopying);
  const { branches } = new ByteTee(stream).t;
  return { first: branches[0], second: branches[1] };
};
