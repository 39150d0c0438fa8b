// abort.js - AbortController and AbortSignal of the DOM standard.
//
// A signal's state is its core, apart from the object that users hold:
//   { isAborted, reason, algorithms, dependents, sources, weak, strong }
// A source (and a timer) holds the cores of those that follow it.  The object
// of a dependent or a timed signal is held weakly by its core, and strongly
// only while somebody listens on it: so a signal made by any() for each request
// costs its long-lived source nothing once nobody can see it.  Dead cores are
// swept out whenever their number may have doubled.
//
// Other scripts use internals.addAbortAlgorithm and its kin, never events.

const { DOMException, Event } = globalThis;      // as they are now: a worker may put others in their place
const SECRET = {};
const SWEEP_AT = 64, TIMEOUT_MAX = 1e12;     // milliseconds: 31 years
const timeouts = new internals.OwnMap();                 // id of the timer -> core
let timeoutsMark = SWEEP_AT;
let coreOf;

const newCore = () => ({
  isAborted: false, reason: undefined, algorithms: null, dependents: null, mark: SWEEP_AT, sources: null, weak: null, strong: null,
});

function isLive(core) {
  if (core.strong || core.algorithms?.size || core.weak?.deref()) return true;
  sweep(core);
  return Boolean(core.dependents?.size);
}

function sweep(core) {
  if (core.dependents) for (const dependent of core.dependents) if (!isLive(dependent)) core.dependents.delete(dependent);
}

function addDependent(source, core) {
  source.dependents ??= new internals.OwnSet();
  source.dependents.add(core);
  core.sources.add(source);
  if (source.dependents.size < source.mark) return;
  sweep(source);
  source.mark = Math.max(SWEEP_AT, source.dependents.size * 2);
}

function sweepTimeouts() {
  for (const [id, core] of timeouts) {
    if (isLive(core)) continue;
    timeouts.delete(id);
    internals.stopTimer(id);
  }
  timeoutsMark = Math.max(SWEEP_AT, timeouts.size * 2);
}

const aborted = () => new DOMException('The operation was aborted', 'AbortError');

function runSteps(core, signal) {
  const algorithms = core.algorithms;
  core.algorithms = null;
  if (algorithms) for (const algorithm of algorithms) {
    try { algorithm(core.reason); } catch (e) { internals.report(e); }
  }
  if (signal && internals.hasListeners(signal, 'abort')) internals.fire(signal, new Event('abort'));
  core.strong = null;
}

function abort(core, signal, reason) {
  if (core.isAborted) return;
  core.isAborted = true;
  core.reason = reason === undefined ? aborted() : reason;
  const followers = [];
  if (core.dependents) for (const dependent of core.dependents) {
    if (dependent.isAborted) continue;
    dependent.isAborted = true;
    dependent.reason = core.reason;
    followers.push(dependent);
  }
  core.dependents = null;
  runSteps(core, signal);
  for (const dependent of followers) {
    if (dependent.sources) for (const source of dependent.sources) source.dependents?.delete(dependent);
    dependent.sources = null;
    runSteps(dependent, dependent.strong ?? dependent.weak.deref());
  }
}

class AbortSignal extends EventTarget {
  #core = newCore();

  constructor(secret) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    super();
  }

  get aborted() { return this.#core.isAborted; }
  get reason() { return this.#core.reason; }
  throwIfAborted() { if (this.#core.isAborted) throw this.#core.reason; }
  [internals.inspectFields]() { return this.#core.isAborted ? { aborted: true, reason: this.#core.reason } : { aborted: false }; }

  static abort(reason = undefined) {
    const signal = new AbortSignal(SECRET);
    signal.#core.isAborted = true;
    signal.#core.reason = reason === undefined ? aborted() : reason;
    return signal;
  }

  static timeout(milliseconds) {
    const delay = Math.trunc(Number(milliseconds));
    if (!(delay >= 0 && delay <= Number.MAX_SAFE_INTEGER)) throw new TypeError('AbortSignal.timeout: expected a number of milliseconds, 0 or more');
    const signal = AbortSignal.#watched(), core = signal.#core;
    const id = internals.startTimer(() => {
      timeouts.delete(id);
      abort(core, core.strong ?? core.weak.deref(), new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    }, Math.min(delay, TIMEOUT_MAX), false, true);
    timeouts.set(id, core);
    if (timeouts.size >= timeoutsMark) sweepTimeouts();
    return signal;
  }

  static any(signals) {
    if (signals === null || signals === undefined || typeof signals[Symbol.iterator] !== 'function')
      throw new TypeError('AbortSignal.any: expected a list of AbortSignals');
    const all = [...signals];
    if (!all.every(internals.isAbortSignal)) throw new TypeError('AbortSignal.any: expected a list of AbortSignals');
    return AbortSignal.#following(all);
  }

  // A signal whose core does not hold it, unless somebody listens.
  static #watched() {
    const signal = new AbortSignal(SECRET);
    signal.#core.weak = new WeakRef(signal);
    return signal;
  }

  static #following(all) {
    const done = all.find((s) => s.#core.isAborted);
    if (done) return AbortSignal.abort(done.#core.reason);
    const signal = AbortSignal.#watched(), core = signal.#core;
    core.sources = new internals.OwnSet();
    for (const followed of all) {
      const source = followed.#core;
      if (source.sources) for (const s of source.sources) addDependent(s, core);
      else addDependent(source, core);
    }
    return signal;
  }

  static {
    coreOf = (signal) => signal.#core;
    internals.isAbortSignal = (value) => typeof value === 'object' && value !== null && #core in value;
    internals.onListeners = (target, type, count) => {
      if (type !== 'abort' || !(#core in target)) return;
      const core = target.#core;
      if (core.weak && !core.isAborted) core.strong = count > 0 ? target : null;
    };
    internals.newSignal = () => new AbortSignal(SECRET);
    internals.followSignals = (signals) => AbortSignal.#following(signals);
  }
}
internals.addHandler(AbortSignal.prototype, 'abort');

// Called from C as well: (signal, reason or undefined).
internals.abortSignal = (signal, reason) => abort(coreOf(signal), signal, reason);
internals.isAborted = (signal) => coreOf(signal).isAborted;
internals.abortReason = (signal) => coreOf(signal).reason;
// Run f(reason) once when the signal is aborted; nothing when it is already.
internals.addAbortAlgorithm = (signal, f) => {
  const core = coreOf(signal);
  if (!core.isAborted) (core.algorithms ??= new internals.OwnSet()).add(f);
};
internals.removeAbortAlgorithm = (signal, f) => { coreOf(signal).algorithms?.delete(f); };

class AbortController {
  #signal = new AbortSignal(SECRET);
  get signal() { return this.#signal; }
  abort(reason = undefined) { internals.abortSignal(this.#signal, reason); }
  [internals.inspectFields]() { return { signal: this.#signal }; }
}

internals.tag(AbortSignal);
internals.tag(AbortController);
internals.expose({ AbortController, AbortSignal });
