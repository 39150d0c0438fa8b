// d1_rows.js - rows of a database from the words that realm/web/d1_words.c writes.
//
// Nothing here runs code of workers before a block's words are all read: the words are shared by all answers.

// As in row.h and d1_words.c.
const COLUMNS = 1, ROWS = 2, DONE = 3, END = 4, ERROR = 5, RESTART = 6;
const NULL = 0, INT = 1, REAL = 2, TEXT = 3, BLOB = 4, LONG = 5;
const WORDS = 8192;
const SHAPES_MAX = 500, NAMES_MAX = 4096;       // characters of all names of one
const PLAIN_ROWS = 100;                         // a shape's function is worth making only behind so many

const { Int32Array, Float64Array, Map } = globalThis;
const { substring } = String.prototype, { get: mapGet, set: mapSet, clear: mapClear } = Map.prototype;
const { defineProperty } = Object, { stringify } = JSON;

const ints = new Int32Array(WORDS * 2), doubles = new Float64Array(ints.buffer);
internals.d1Words = doubles;

// ---- what a block brings ----

let at = 0, text = '', textAt = 0, longs, blobs, blobsAt = 0;

function cut(length) {
  const from = textAt;
  textAt += length;
  return substring.call(text, from, textAt);
}

function bytes(length) {
  const list = [];
  for (let i = 0; i < length; i++) list[i] = blobs[blobsAt + i];
  blobsAt += length;
  return list;
}

function cell() {
  const tag = ints[at * 2], arg = ints[at * 2 + 1];
  at++;
  switch (tag) {
    case INT: return arg;
    case TEXT: return cut(arg);
    case REAL: return doubles[at++];
    case NULL: return null;
    case BLOB: return bytes(arg);
    default: return longs[arg];
  }
}

// ---- rows ----

// The columns of a result and how its rows are made: { names, lengths, rows: made so far, make }.
const shapes = new Map();

function isShape(shape, count, first) {
  if (shape.names.length !== count) return false;
  for (let i = 0; i < count; i++) if (shape.lengths[i] !== ints[(first + i) * 2 + 1]) return false;
  return true;
}

function newShape(count, first) {
  const names = [], lengths = [];
  for (let i = 0; i < count; i++) {
    lengths[i] = ints[(first + i) * 2 + 1];
    names[i] = cut(lengths[i]);
  }
  return { names, lengths, rows: 0, make: null };
}

function readShape(count) {
  const first = at, from = textAt;
  let length = 0;
  for (let i = 0; i < count; i++) length += ints[at++ * 2 + 1];
  const key = substring.call(text, from, from + length), known = mapGet.call(shapes, key);
  if (known && isShape(known, count, first)) {
    textAt = from + length;
    return known;
  }
  const shape = newShape(count, first);
  if (length > NAMES_MAX) return shape;
  if (shapes.size >= SHAPES_MAX) mapClear.call(shapes);
  mapSet.call(shapes, key, shape);
  return shape;
}

// The names are data of strangers: stringify() makes literals of them, whatever is in them.  In brackets none of them, as
// __proto__, means anything else.
function makerOf({ names }) {
  let fields = '';
  for (let i = 0; i < names.length; i++) fields += `[${stringify(names[i])}]: cell(), `;
  return Function('cell', `'use strict'; return () => ({ ${fields} });`)(cell);
}

function plainRow(names) {
  const row = {};
  for (let i = 0; i < names.length; i++) {
    const name = names[i], value = cell();
    if (name === '__proto__') defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true });
    else row[name] = value;
  }
  return row;
}

function addObjects(rows, shape, count) {
  shape.rows += count;
  if (!shape.make && shape.rows > PLAIN_ROWS) shape.make = makerOf(shape);
  const { make, names } = shape, start = rows.length;
  if (make) for (let i = 0; i < count; i++) rows[start + i] = make();
  else for (let i = 0; i < count; i++) rows[start + i] = plainRow(names);
}

function addArrays(rows, width, count) {
  const start = rows.length;
  for (let i = 0; i < count; i++) {
    const row = [];
    for (let k = 0; k < width; k++) row[k] = cell();
    rows[start + i] = row;
  }
}

// ---- answers ----

function readMeta(isChanged) {
  const duration = doubles[at++], changes = doubles[at++], last_row_id = doubles[at++];
  const size_after = doubles[at++], rows_read = doubles[at++], rows_written = doubles[at++];
  return {
    served_by: 'corral-store', served_by_region: 'LOCAL', served_by_primary: true,
    served_by_colo: 'LOCAL', timings: { sql_duration_ms: duration }, duration, changes,
    last_row_id, changed_db: isChanged === 1, size_after, rows_read, rows_written, total_attempts: 1,
  };
}

function readError() {
  const statement = ints[at * 2], line = ints[at * 2 + 1], length = ints[at * 2 + 2], sqlLength = ints[at * 2 + 3];
  at += 2;
  return { statement: statement >>> 0, line: line >>> 0, text: cut(length), sql: cut(sqlLength) };
}

// What has come of one call: statements is a list of { names, rows, meta }.  end(statements, bookmark) and fail(error) are
// called when it is whole, one of them, once; error: { statement, line, text, sql } of row.h, statement null when it comes from
// nearer than the database.
class Answer {
  constructor(asArrays, end, fail) {
    this.asArrays = asArrays;
    this.end = end;
    this.fail = fail;
    this.shape = null;
    this.rows = null;
    this.statements = [];
  }
}
internals.D1Answer = Answer;

function readRows(answer, count) {
  if (answer.asArrays) addArrays(answer.rows, answer.shape.names.length, count);
  else addObjects(answer.rows, answer.shape, count);
}

// Called by C with a block.
internals.d1Take = (answer, count, newText, newLongs, newBytes) => {
  let bookmark, error;
  text = newText;
  longs = newLongs;
  blobs = newBytes && new Uint8Array(newBytes);
  at = textAt = blobsAt = 0;
  while (at < count) {
    const type = ints[at * 2], arg = ints[at * 2 + 1];
    at++;
    switch (type) {
      case COLUMNS:
        answer.shape = readShape(arg);
        answer.rows = [];
        break;
      case ROWS: readRows(answer, arg); break;
      case DONE:
        answer.statements[answer.statements.length] = { names: answer.shape.names, rows: answer.rows, meta: readMeta(arg) };
        break;
      case END: bookmark = cut(arg); break;
      case ERROR: error = readError(); break;
      case RESTART: answer.statements = []; break;
    }
  }
  text = '';
  longs = blobs = undefined;
  if (error) answer.fail(error);
  else if (bookmark !== undefined) answer.end(answer.statements, bookmark);
};
// Called by C instead: there is no (more) answer.
internals.d1Fail = (answer, error) => { answer.fail({ statement: null, line: 0, text: `${error.message}`, sql: '' }); };
