// Runs cases where there is a D1 binding for each: in workerd, or in a worker of Corral.  An expression, whose
// value is what a case's body sees:
//
//   what(x)       a promise's value, or the words of what it throws; x may be a function that gives either
//   all(sql, ...values), raw(sql, ...values), run(sql, ...values), first(sql, ...values)    one statement of DB
//   did(result)   [changes, last_row_id, changed_db] of its meta
//   cost(result)  [rows_read, rows_written] of its meta
//   is(a, b)      throws unless both show as the same
//   show(x)       the text of a value: what Corral and workerd are compared by
((most, longest) => {
  // What differs from call to call, or from place to place: only its type is compared.  So is last_row_id of what inserted nothing.
  const loose = new Set(['duration', 'size_after', 'served_by', 'rows_read', 'rows_written']);
  // What Cloudflare's D1 has, but miniflare's has not.
  const more = new Set(['served_by_region', 'served_by_colo', 'served_by_primary', 'timings', 'total_attempts']);
  const kind = (v) => '<' + (v === null ? 'null' : typeof v) + '>';
  const string = (v) => {
    const text = JSON.stringify(v).replace(/[\x7f-\xa0\u2028\u2029\ufeff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
    return v.length <= 4 * longest ? text : 'string(' + v.length + ')' + JSON.stringify(v.slice(0, 20)) + '...' + JSON.stringify(v.slice(-20));
  };
  const text = (v, above) => {
    if (typeof v === 'string') return string(v);
    if (typeof v === 'bigint') return v + 'n';
    if (typeof v === 'number') return Object.is(v, -0) ? '-0' : String(v);
    if (typeof v === 'function') return 'function';
    if (typeof v !== 'object' || v === null) return String(v);
    if (above.includes(v)) return '<up>';
    if (above.length === most) return '...';
    if (v instanceof Error) return words(v);
    const inner = (x) => text(x, [...above, v]);
    const name = v.constructor ? v.constructor.name : 'null';
    if (Array.isArray(v)) {
      const items = Array.from(v.slice(0, longest), inner);
      return '[' + items.join(', ') + (v.length > longest ? ', ... ' + v.length : '') + ']';
    }
    if (v instanceof ArrayBuffer) return 'ArrayBuffer(' + v.byteLength + ')';
    if (ArrayBuffer.isView(v)) return name + '[' + Array.from(v, inner).join(', ') + ']';
    const isMeta = Object.hasOwn(v, 'duration');
    const isLoose = (k) => isMeta && (loose.has(k) || k === 'last_row_id' && v.changes === 0);
    const pair = ([k, x]) => (/^\w+$/.test(k) ? k : string(k)) + ': ' + (isLoose(k) ? kind(x) : inner(x));
    return (name === 'Object' ? '' : name) + '{' + Object.entries(v).filter(([k]) => !(isMeta && more.has(k))).map(pair).join(', ') + '}';
  };
  const show = (v) => text(v, []);

  // What an engine of JavaScript says differs, what D1 says does not.
  const words = (e) => {
    if (!(e instanceof Error)) return 'throws ' + show(e);
    if (e instanceof TypeError || e instanceof RangeError || e instanceof SyntaxError || e instanceof ReferenceError) return 'throws ' + e.name;
    const cause = e.cause === undefined ? '' : e.cause instanceof Error ? ` (cause ${e.cause.name}: ${e.cause.message})` : ` (cause ${show(e.cause)})`;
    return `throws ${e.name}: ${e.message}${cause}`;
  };
  const what = async (x) => {
    try {
      return await (typeof x === 'function' ? x() : x);
    } catch (e) {
      return words(e);
    }
  };
  const is = (a, b) => {
    if (show(a) !== show(b)) throw new Error(`is ${show(a)}, not ${show(b)}`);
  };
  const did = ({ meta }) => [meta.changes, meta.last_row_id, meta.changed_db];
  const cost = ({ meta }) => [meta.rows_read, meta.rows_written];

  const outcome = async (body, env, DB) => {
    const one = (method) => (sql, ...values) => DB.prepare(sql).bind(...values)[method]();
    const all = async (sql, ...values) => (await one('all')(sql, ...values)).results;
    let timer;
    const late = new Promise((_, no) => { timer = setTimeout(() => no(new Error('no answer in 20 s')), 20_000); });
    try {
      const value = body({ what, is, show, did, cost, all, raw: one('raw'), run: one('run'), first: one('first') }, env, DB);
      return show(await Promise.race([value, late]));
    } catch (e) {
      return words(e);
    } finally {
      clearTimeout(timer);
    }
  };

  // {name: outcome} of `cases`, {name: body}; the database of each is env[prefix + name].
  return async (cases, env, prefix) => {
    const found = {}, waiting = Object.keys(cases);
    const next = async () => {
      for (let name = waiting.shift(); name; name = waiting.shift())
        found[name] = await outcome(cases[name], env, env[prefix + name]);
    };
    await Promise.all(Array.from({ length: 4 }, next));
    return found;
  };
})(12, 300)
