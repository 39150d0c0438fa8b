// performance.js - performance.mark(), measure() and the list of what they made.

const { Number, String, TypeError } = globalThis;
const SECRET = {}, MAX_ENTRIES = 10_000;        // the oldest go when there are more
let entries = [];

class PerformanceEntry {
  #name; #type; #start; #duration; #detail;
  constructor(secret, type, name, start, duration, detail) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#name = name;
    this.#type = type;
    this.#start = start;
    this.#duration = duration;
    this.#detail = detail;
  }
  get name() { return this.#name; }
  get entryType() { return this.#type; }
  get startTime() { return this.#start; }
  get duration() { return this.#duration; }
  toJSON() { return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration, detail: this.#detail }; }
  static { internals.entryDetail = (entry) => entry.#detail; }
}

const detailOf = (detail) => (detail === undefined || detail === null ? null : internals.structuredClone(detail));

class PerformanceMark extends PerformanceEntry {
  constructor(name, options = undefined) {
    if (arguments.length === 0) throw new TypeError('PerformanceMark: expected a name');
    const { startTime, detail } = internals.options(options, 'PerformanceMark'), start = startTime === undefined ? internals.clock() : Number(startTime);
    if (!(start >= 0)) throw new TypeError('performance.mark: startTime must not be negative');
    super(SECRET, 'mark', String(name), start, 0, detailOf(detail));
  }
  get detail() { return internals.entryDetail(this); }
}

class PerformanceMeasure extends PerformanceEntry {
  get detail() { return internals.entryDetail(this); }
}

function keep(entry) {
  if (entries.length >= MAX_ENTRIES) entries.shift();
  entries.push(entry);
  for (const observer of observers) noteFor(observer, entry);
  return entry;
}

// A moment: a number, or the name of a mark.
function momentOf(value) {
  if (typeof value === 'number') {
    if (!(value >= 0)) throw new TypeError('performance.measure: a moment must not be negative');
    return value;
  }
  const name = String(value);
  for (let i = entries.length - 1; i >= 0; i--) if (entries[i].entryType === 'mark' && entries[i].name === name) return entries[i].startTime;
  throw new internals.DOMException(`The mark '${name}' does not exist.`, 'SyntaxError');
}

const byTime = (found) => found.sort((a, b) => a.startTime - b.startTime);
const clear = (type, name) => { entries = entries.filter((e) => e.entryType !== type || (name !== undefined && e.name !== String(name))); };

const methods = {
  mark(name, options = undefined) {
    if (arguments.length === 0) throw new TypeError('performance.mark: expected a name');
    return keep(new PerformanceMark(name, options));
  },
  measure(name, startOrOptions = undefined, end = undefined) {
    if (arguments.length === 0) throw new TypeError('performance.measure: expected a name');
    const isObject = typeof startOrOptions === 'object' && startOrOptions !== null, options = isObject ? internals.options(startOrOptions, 'performance.measure') : { start: startOrOptions, end };
    const { duration } = options;
    if (isObject && duration !== undefined && options.start !== undefined && options.end !== undefined) throw new TypeError('performance.measure: of start, end and duration two are enough');
    let to = options.end === undefined ? undefined : momentOf(options.end), from = options.start === undefined ? undefined : momentOf(options.start);
    if (to === undefined) to = from !== undefined && duration !== undefined ? from + Number(duration) : internals.clock();
    if (from === undefined) from = duration !== undefined ? to - Number(duration) : 0;
    return keep(new PerformanceMeasure(SECRET, 'measure', String(name), from, to - from, detailOf(options.detail)));
  },
  getEntries() { return byTime(entries.slice()); },
  getEntriesByName(name, type = undefined) { return byTime(entries.filter((e) => e.name === String(name) && (type === undefined || e.entryType === type))); },
  getEntriesByType(type) { return byTime(entries.filter((e) => e.entryType === String(type))); },
  clearMarks(name = undefined) { clear('mark', name); },
  clearMeasures(name = undefined) { clear('measure', name); },
  clearResourceTimings() {},
  setResourceTimingBufferSize() {},
  markResourceTiming() {},
  eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; },
  timerify(callback) { return callback; },
};
for (const [name, value] of Object.entries(methods)) Object.defineProperty(Performance.prototype, name, { value, writable: true, enumerable: true, configurable: true });


// ---- who wants to hear of them ----

let noteFor;                    // (observer, entry)
const observers = new internals.OwnSet(), TYPES = Object.freeze(['mark', 'measure']), MAX_NOTED = MAX_ENTRIES;

class PerformanceObserverEntryList {
  #entries;
  constructor(secret, noted) {
    if (secret !== SECRET) throw new TypeError('Illegal constructor');
    this.#entries = noted;
  }
  getEntries() { return byTime(this.#entries.slice()); }
  getEntriesByName(name, type = undefined) { return byTime(this.#entries.filter((e) => e.name === String(name) && (type === undefined || e.entryType === type))); }
  getEntriesByType(type) { return byTime(this.#entries.filter((e) => e.entryType === String(type))); }
}

class PerformanceObserver {
  #callback; #types = new internals.OwnSet(); #noted = []; #isDue = false; #isSingle = null;
  constructor(callback) {
    if (typeof callback !== 'function') throw new TypeError("Failed to construct 'PerformanceObserver': constructor parameter 1 is not of type 'Function'.");
    this.#callback = callback;
  }
  static get supportedEntryTypes() { return TYPES; }

  observe(options = undefined) {
    const { entryTypes, type, buffered } = internals.options(options, 'PerformanceObserver.observe');
    if (entryTypes === undefined && type === undefined) throw new TypeError('PerformanceObserver.observe: expected entryTypes or type');
    if (entryTypes !== undefined && type !== undefined) throw new TypeError('PerformanceObserver.observe: entryTypes or type, not both');
    const isSingle = type !== undefined;
    if (this.#isSingle !== null && this.#isSingle !== isSingle)
      throw new internals.DOMException('PerformanceObserver.observe: this observer has been told otherwise whether it observes one type', 'InvalidModificationError');
    const wanted = (isSingle ? [type] : [...entryTypes]).map(String).filter((one) => TYPES.includes(one));
    if (wanted.length === 0) return;
    this.#isSingle = isSingle;
    if (!isSingle) this.#types.clear();
    for (const one of wanted) this.#types.add(one);
    observers.add(this);
    if (isSingle && buffered) for (const entry of entries) if (entry.entryType === wanted[0]) noteFor(this, entry);
  }
  disconnect() {
    observers.delete(this);
    this.#types.clear();
    this.#noted = [];
    this.#isSingle = null;
  }
  takeRecords() {
    const noted = this.#noted;
    this.#noted = [];
    return byTime(noted);
  }

  #tell() {
    this.#isDue = false;
    const noted = this.#noted;
    this.#noted = [];
    if (noted.length > 0) internals.runPython(Reflect.apply(this.#callback, this, [new PerformanceObserverEntryList(SECRET, noted), this, {}]));
  }

  static {
    noteFor = (observer, entry) => {
      if (!observer.#types.has(entry.entryType) || observer.#noted.length >= MAX_NOTED) return;
      observer.#noted.push(entry);
      if (observer.#isDue) return;
      observer.#isDue = true;
      internals.startTimer(() => observer.#tell(), 0, false);
    };
  }
}

// Of requests there are none: Cloudflare makes none either.
class PerformanceResourceTiming extends PerformanceEntry {}
for (const name of ['initiatorType', 'nextHopProtocol', 'workerStart', 'redirectStart', 'redirectEnd', 'fetchStart', 'domainLookupStart', 'domainLookupEnd', 'connectStart',
  'connectEnd', 'secureConnectionStart', 'requestStart', 'responseStart', 'responseEnd', 'responseStatus', 'transferSize', 'encodedBodySize', 'decodedBodySize'])
  Object.defineProperty(PerformanceResourceTiming.prototype, name, { get() { throw new TypeError('Illegal invocation'); }, enumerable: true, configurable: true });

for (const c of [PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList, PerformanceResourceTiming]) internals.tag(c);
internals.expose({ PerformanceEntry, PerformanceMark, PerformanceMeasure, PerformanceObserver, PerformanceObserverEntryList, PerformanceResourceTiming });
