// d1.js - D1: databases of a worker, as env has them.
//
// Classes, checks and words are those of Cloudflare's own; the SQL runs in corral-store.  A call crosses to C once for each
// statement and once to be sent (native.d1Put, d1Send), and its answer comes as d1_rows.js has it.

const ALL = 0, FIRST = 1, NONE = 2;             // enum d1_rows
const FIRST_PRIMARY = 'first-primary', UNCONSTRAINED = 'first-unconstrained';
const ROWS = false, ARRAYS = true;
const STATEMENTS_MAX = 10_000;                  // of one call: row.h
const NOTHING = 'No SQL statements detected.';
const { D1Answer } = internals, { apply } = Reflect, { isArray } = Array, { isView } = ArrayBuffer;
const { trim, replace, split, startsWith, slice } = String.prototype, { isFinite } = Number;

// Its stack says what it says, as where it is all that is shown of an error; of where it came from nothing here is of use.
function errorOf(message, cause) {
  const error = new Error(message, cause && { cause });
  error.stack = `Error: ${message}`;
  return error;
}

const failure = (kind, message) => errorOf(`${kind}: ${message}`, errorOf(message));

const SESSION_ERROR = 'D1_SESSION_ERROR: ';
// Of what the database says.
function said(text) {
  if (apply(startsWith, text, [SESSION_ERROR])) return failure('D1_SESSION_ERROR', apply(slice, text, [SESSION_ERROR.length]));
  return failure('D1_ERROR', text);
}

// ---- calls ----

// Statements of nothing but blanks are left out.
function isBlank(sql) {
  const first = sql.charCodeAt(0);
  return !(first > 32 && first < 127) && apply(trim, apply(replace, sql, [/^\s+--.*/gm, '']), []) === '';
}

// What is sent for a parameter: a number, a string, null or a Uint8Array.
function valueOf(parameter) {
  if (!isArray(parameter)) return parameter;
  for (let i = 0; i < parameter.length; i++)
    if (!isFinite(parameter[i])) throw failure('D1_ERROR', `Item ${i} of an array that was bound is no byte`);
  return new Uint8Array(parameter);
}

// Returns how many there are to be run.
function put(statements) {
  let count = 0;
  for (let i = 0; i < statements.length; i++) {
    const { statement, params } = statements[i];
    if (typeof statement !== 'string') throw failure('D1_ERROR', `SQL must be a string and is of type '${typeof statement}'`);
    if (isBlank(statement)) continue;
    const all = [count, statement];
    for (let k = 0; k < params.length; k++) all[k + 2] = valueOf(params[k]);
    apply(native.d1Put, undefined, all);
    count++;
  }
  if (count === 0) throw failure('D1_ERROR', NOTHING);
  return count;
}

// What is wrong before a call is sent.  Outside of requests nothing may be asked, by the words that fetch() has for it too.
function refused(e) {
  return e instanceof TypeError || e instanceof RangeError ? failure('D1_ERROR', e.message) : e;
}

// As soon as there is room: begin(); what it throws goes to reject().
function whenRoom(begin, reject) {
  internals.whenRoom(() => {
    try { begin(); } catch (e) { reject(refused(e)); }
  }, (e) => reject(refused(e)));
}

// finish(results) gives what the promise resolves to.
function call(session, statements, wants, asArrays, finish) {
  const request = native.currentRequest();
  return new Promise((resolve, reject) => {
    let count = 0;
    const answer = new D1Answer(asArrays, (results, bookmark) => {
      try {
        session._updateBookmark(bookmark);
        if (results.length !== count) throw failure('D1_ERROR', `The database answered ${results.length} statements of ${count}`);
        resolve(finish(results));
      } catch (e) { reject(e); }
    }, ({ text }) => reject(said(text)));
    whenRoom(() => {
      count = put(statements);
      native.d1Send(bindingOf(session), request, answer, wants, constraintOf(session), undefined);
    }, reject);
  });
}

// ---- scripts ----

const totalOf = (results) => {
  let duration = 0;
  for (let i = 0; i < results.length; i++) duration += results[i].meta.duration;
  return { count: results.length, duration };
};

// One try.  lines: [{ statement, line }] that are one statement each; or null: the script is cut where statements end.
// Resolves to { total } or { line, sql, text }, what is wrong with it; rejects when the database could not be asked.
function tryScript(session, request, script, lines) {
  return new Promise((resolve, reject) => {
    const answer = new D1Answer(ROWS, (results) => resolve({ total: totalOf(results) }), ({ statement, line, text, sql }) => {
      const failed = lines?.[statement];
      if (statement === null) reject(said(text));
      else if (failed) resolve({ line: failed.line, sql: failed.statement, text });
      else resolve({ line: line || 1, sql: sql ? apply(replace, sql, [/;$/, '']) : apply(split, script, ['\n'])[0], text });
    });
    whenRoom(() => {
      if (lines) put(lines);
      native.d1Send(bindingOf(session), request, answer, NONE, undefined, lines ? undefined : script);
    }, reject);
  });
}

// A script is one statement a line.  That is all that Cloudflare's knows; where it comes to nothing (and nothing has happened
// then), the script may still be one whose statements have lines of their own.
async function runScript(session, query) {
  if (typeof query !== 'string') throw new TypeError(`exec() takes a string of SQL, not ${query === null ? 'null' : typeof query}`);
  const request = native.currentRequest(), script = apply(trim, query, []), all = apply(split, script, ['\n']), lines = [];
  for (let i = 0; i < all.length; i++)
    if (!isBlank(all[i])) lines[lines.length] = { statement: all[i], params: [], line: i + 1 };
  if (lines.length === 0) throw failure('D1_EXEC_ERROR', `Error in line 1: ${all[0]}: ${NOTHING}`);
  let found = lines.length <= STATEMENTS_MAX ? await tryScript(session, request, script, lines) : null;
  if (!found || (!found.total && lines.length > 1)) {
    const other = await tryScript(session, request, script, null);
    const isFurther = !found || other.total || other.line > found.line;
    if (isFurther || (other.line === found.line && apply(startsWith, found.text, ['incomplete input']))) found = other;
  }
  if (found.total) return found.total;
  throw failure('D1_EXEC_ERROR', `Error in line ${found.line}: ${found.sql}: ${found.text}`);
}

// ---- statements ----

const resultOf = ({ rows, meta }) => ({ success: true, meta, results: rows });

function isBytes(list) {
  for (let i = 0; i < list.length; i++) {
    const byte = list[i];
    if (!(typeof byte === 'number' && byte >= 0 && byte < 256)) return false;
  }
  return true;
}

const { Float16Array, Float32Array, Float64Array } = globalThis;
const isFloats = (view) => view instanceof Float64Array || view instanceof Float32Array || (Float16Array !== undefined && view instanceof Float16Array);

// By element, and none of a DataView, as Array.from() has it; what no number of JSON is stays for valueOf().
function viewBytes(view) {
  if (view instanceof DataView) return new Uint8Array(0);
  if (isFloats(view)) for (let i = 0; i < view.length; i++) if (!isFinite(view[i])) return [NaN];
  return new Uint8Array(view);
}

// What is bound for a value: a number, a string, null, an array of bytes or a Uint8Array.  Arrays are read when the statement
// runs, all else is now.
function parameterOf(value, isNone) {
  const type = typeof value;
  if (type === 'number' || type === 'string') return value;
  if (type === 'boolean') return value ? 1 : 0;
  if (value === null || (value === undefined && isNone)) return null;
  if (type === 'object') {
    if (isArray(value) && isBytes(value)) return value;
    if (value instanceof ArrayBuffer) return new Uint8Array(new Uint8Array(value));
    if (isView(value)) return viewBytes(value);
  }
  if (type === 'object' || type === 'function') {
    const bytes = native.isPython(value) ? native.pythonBytes(value) : undefined;
    if (bytes !== undefined) return bytes;
  }
  throw failure('D1_TYPE_ERROR', `Type '${type}' not supported for value '${value}'`);
}

class D1PreparedStatement {
  dbSession;
  statement;
  params;
  constructor(secret, dbSession, statement, params) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.dbSession = dbSession;
    this.statement = statement;
    this.params = params;
  }

  bind(...values) {
    const params = [];
    let isNone = false;
    // Before anything else is called.  Python's None is NULL, also where it is undefined in JavaScript.
    for (let i = 0; i < values.length && !isNone; i++) isNone = values[i] === undefined && native.wasGivenNone(bind);
    for (let i = 0; i < values.length; i++) params[i] = parameterOf(values[i], isNone);
    return new D1PreparedStatement(internals, this.dbSession, this.statement, params);
  }

  first(colName) {
    return call(this.dbSession, [this], FIRST, ROWS, (results) => {
      const { rows } = results[0];
      if (rows.length === 0) return null;
      if (colName === undefined) return rows[0];
      const value = rows[0][colName];
      if (value === undefined) throw errorOf(`D1_COLUMN_NOTFOUND: Column not found (${colName})`, errorOf('Column not found'));
      return value;
    });
  }

  run() { return call(this.dbSession, [this], ALL, ROWS, (results) => resultOf(results[0])); }

  all() { return call(this.dbSession, [this], ALL, ROWS, (results) => resultOf(results[0])); }

  raw(options) {
    return call(this.dbSession, [this], ALL, ARRAYS, (results) => {
      const { names, rows } = results[0], own = [], all = [own];
      if (!options?.columnNames) return rows;
      for (let i = 0; i < names.length; i++) own[i] = names[i];
      for (let i = 0; i < rows.length; i++) all[i + 1] = rows[i];
      return all;
    });
  }
}
const { bind } = D1PreparedStatement.prototype;

// An array, or Python's list or tuple, of statements; those of class handlers, which to_js() leaves as they are, have theirs inside.
function statementsOf(list) {
  const statements = native.isPython(list) ? list.toJs({ depth: 1 }) : list;
  if (!isArray(statements)) throw new TypeError('batch() takes an array (in Python a list) of statements');
  const all = [];
  for (let i = 0; i < statements.length; i++) {
    const one = native.isPython(statements[i]) ? statements[i].js_object : statements[i];
    if (!isArray(one?.params)) throw new TypeError(`batch() takes statements as prepare() and bind() give them, before run(), all() or first(); item ${i} is none`);
    all[i] = one;
  }
  return all;
}

// ---- databases ----

let bindingOf, constraintOf;

class D1DatabaseSession {
  #binding;
  constructor(secret, binding, bookmarkOrConstraint) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#binding = binding;
    this.bookmarkOrConstraint = bookmarkOrConstraint;
    if (!bookmarkOrConstraint) throw errorOf('D1_SESSION_ERROR: invalid bookmark or constraint');
  }
  static {
    bindingOf = (session) => session.#binding;
    constraintOf = (session) => (session instanceof D1DatabaseSessionAlwaysPrimary ? undefined : session.bookmarkOrConstraint);
  }

  // The latest that answers have brought; nothing as long as there was none.
  getBookmark() {
    const value = this.bookmarkOrConstraint;
    return value === UNCONSTRAINED || value === FIRST_PRIMARY ? null : value;
  }

  // Answers of calls that ran at once may come in any order.
  _updateBookmark(bookmark) {
    const current = this.getBookmark();
    if (bookmark && (current === null || current < bookmark)) this.bookmarkOrConstraint = bookmark;
    return this.getBookmark();
  }

  prepare(sql) { return new D1PreparedStatement(internals, this, sql, []); }

  async batch(statements) {
    return call(this, statementsOf(statements), ALL, ROWS, (results) => {
      const all = [];
      for (let i = 0; i < results.length; i++) all[i] = resultOf(results[i]);
      return all;
    });
  }
}

// Of the database itself: it has no bookmark, as every call goes where the writes go.
class D1DatabaseSessionAlwaysPrimary extends D1DatabaseSession {
  constructor(secret, binding) { super(secret, binding, FIRST_PRIMARY); }
  _updateBookmark() { return null; }
  getBookmark() { return null; }

  async exec(query) { return runScript(this, query); }

  async dump() {
    throw failure('D1_DUMP_ERROR', "dump() is of D1's alpha databases alone: `corral d1 export NAME --output FILE` writes this one");
  }
}

class D1Database {
  #binding;
  alwaysPrimarySession;
  constructor(secret, name) {
    if (secret !== internals) throw new TypeError('Illegal constructor');
    this.#binding = native.d1Binding(name);
    this.alwaysPrimarySession = new D1DatabaseSessionAlwaysPrimary(internals, this.#binding);
  }

  prepare(query) { return new D1PreparedStatement(internals, this.alwaysPrimarySession, query, []); }
  async batch(statements) { return this.alwaysPrimarySession.batch(statements); }
  async exec(query) { return this.alwaysPrimarySession.exec(query); }

  withSession(constraintOrBookmark) {
    const wanted = constraintOrBookmark?.trim();
    return new D1DatabaseSession(internals, this.#binding, wanted == null || wanted === '' ? UNCONSTRAINED : wanted);
  }

  async dump() { return this.alwaysPrimarySession.dump(); }
}

for (const C of [D1Database, D1DatabaseSession, D1PreparedStatement]) internals.knowKind(C);
internals.onBinding('d1', (name) => new D1Database(internals, name));
