// pipe.js - pipeTo: one stream's chunks into another, with its errors, its end and its back-pressure.

const streams = internals.streams;
const {
  NOTHING, then, resolved, handled, deferred, lock, release, readFrom, cancelStream,
  lockWritable, releaseWriter, write, closeOrFail, abortWritable, isClosingWritable,
} = streams;
const { Promise, TypeError } = globalThis;
const promiseAll = Promise.all;

// Of a promise with the value undefined, for as many as there are.
function all(promises) { return promises.length === 1 ? promises[0] : Reflect.apply(promiseAll, Promise, [promises]); }

class Pipe {
  constructor(source, dest, options) {
    this.source = source;
    this.dest = dest;
    this.options = options;
    this.reader = lock(source);
    this.writer = lockWritable(dest);
    source.isDisturbed = true;
    this.isEnding = false;
    this.lastWrite = NOTHING;
    this.done = deferred();
    this.loop = () => this.step();
    this.request = { chunk: (chunk) => this.take(chunk), close() {}, error() {} };
    this.onAbort = null;
  }

  start() {
    const { signal } = this.options;
    if (signal) {
      if (internals.isAborted(signal)) {
        this.abort();
        return;
      }
      this.onAbort = () => this.abort();
      internals.addAbortAlgorithm(signal, this.onAbort);
    }
    this.watch();
    this.step();
  }

  // What ends a pipe, in the standard's order.
  watch() {
    const { source, dest, reader, writer, options } = this;
    const sourceFailed = () => {
      const { error } = source;
      this.end(options.preventAbort ? null : () => abortWritable(dest, error), true, error);
    };
    const destFailed = () => {
      const { error } = dest;
      this.end(options.preventCancel ? null : () => cancelStream(source, error), true, error);
    };
    const sourceClosed = () => this.end(options.preventClose ? null : () => closeOrFail(writer), false);
    if (source.state === 'errored') sourceFailed();
    else then(reader.closed.promise, source.state === 'closed' ? undefined : sourceClosed, sourceFailed);
    if (dest.state === 'errored') destFailed();
    else then(writer.closed.promise, undefined, destFailed);
    if (source.state === 'closed') sourceClosed();
    if (isClosingWritable(dest) || dest.state === 'closed') {
      const closed = new TypeError('pipeTo: the destination is closed already.');
      this.end(options.preventCancel ? null : () => cancelStream(source, closed), true, closed);
    }
  }

  step() {
    if (this.isEnding) return;
    if (this.dest.state === 'writable' && this.dest.hasBackpressure) then(this.writer.ready.promise, this.loop, streams.ignore);
    else if (this.dest.state === 'writable') readFrom(this.reader, this.request);
  }

  // Not at once: enqueue() of the source must not call the sink.
  take(chunk) {
    this.lastWrite = handled(then(NOTHING, () => {
      const written = write(this.writer, chunk);
      this.step();
      return written;
    }));
  }

  abort() {
    const { source, dest, options } = this;
    const error = internals.abortReason(options.signal);
    this.end(() => {
      const ends = [];
      if (!options.preventAbort) ends[0] = dest.state === 'writable' ? abortWritable(dest, error) : resolved(undefined);
      if (!options.preventCancel) ends[ends.length] = source.state === 'readable' ? cancelStream(source, error) : resolved(undefined);
      return ends.length === 0 ? NOTHING : all(ends);
    }, true, error);
  }

  end(action, isError, error = undefined) {
    if (this.isEnding) return;
    this.isEnding = true;
    const act = () => {
      if (!action) {
        this.finish(isError, error);
        return;
      }
      then(action(), () => this.finish(isError, error), (e) => this.finish(true, e));
    };
    if (this.dest.state === 'writable' && !isClosingWritable(this.dest)) this.afterWrites(act);
    else act();
  }

  // Once all that was read has been written.
  afterWrites(act) {
    const last = this.lastWrite;
    const again = () => {
      if (last !== this.lastWrite) this.afterWrites(act);
      else act();
    };
    then(last, again, again);
  }

  finish(isError, error) {
    releaseWriter(this.writer);
    release(this.reader);
    if (this.onAbort) internals.removeAbortAlgorithm(this.options.signal, this.onAbort);
    if (isError) this.done.reject(error);
    else this.done.resolve(undefined);
  }
}

streams.pipe = (source, dest, options) => {
  const pipe = new Pipe(source, dest, options);
  pipe.start();
  return pipe.done.promise;
};
