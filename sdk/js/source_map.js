// source_map.js - places in the linked script as places in the worker's own files.
//
// worker.js.map is read and decoded when the first stack is shown.  Lines and columns of stacks count from 1, those of
// maps from 0.  A place of ours becomes "corral:...", which stacks leave out.

const { Int32Array, String } = globalThis;
const LINE_MAX = 500;     // longer ones are of code that was made small, and hold many functions
const SCRIPT = 'worker.js', PLACE = /^worker\.js:(\d+):(\d+)$/;
const DIGITS = new Uint8Array(128).fill(255);
for (let i = 0; i < 64; i++) DIGITS['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.charCodeAt(i)] = i;

let map;        // undefined: not read yet; null: there is none

// lines[n]: an Int32Array of column, source, line, column for each segment that has a source
function decode(mappings) {
  const lines = [], field = [0, 0, 0, 0];
  let segments = [], source = 0, line = 0, column = 0, at = 0, count = 0, value = 0, shift = 0, generated = 0;
  const endSegment = () => {
    if (count > 0) generated += field[0];
    if (count >= 4) {
      source += field[1];
      line += field[2];
      column += field[3];
      segments.push(generated, source, line, column);
    }
    count = 0;
  };
  for (; at < mappings.length; at++) {
    const code = mappings.charCodeAt(at);
    if (code === 0x2c) endSegment();
    else if (code === 0x3b) {
      endSegment();
      lines.push(new Int32Array(segments));
      segments = [];
      generated = 0;
    } else {
      const digit = code < 128 ? DIGITS[code] : 255;
      if (digit === 255) throw new TypeError('a source map with a wrong character');
      value += (digit & 31) * 2 ** shift;
      if (digit & 32) {
        shift += 5;
        continue;
      }
      if (count < 4) field[count] = value % 2 ? -((value - 1) / 2) : value / 2;
      count++;
      value = shift = 0;
    }
  }
  endSegment();
  lines.push(new Int32Array(segments));
  return lines;
}

function read() {
  try {
    const bytes = native.readLinked(`${SCRIPT}.map`);
    if (bytes === undefined) return null;
    const { sources, mappings } = JSON.parse(internals.decodeUTF8(bytes));
    return { sources, lines: decode(mappings) };
  } catch { return null; }
}

// { file, line, column } in the worker's own files, of a place in the linked script.
function original(line, column) {
  map ??= map === null ? null : read();
  const segments = map?.lines[line - 1];
  if (!segments) return null;
  let low = 0, high = segments.length / 4;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle * 4] <= column - 1) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return null;
  const i = (low - 1) * 4;
  return { file: String(map.sources[segments[i + 1]]), line: segments[i + 2] + 1, column: segments[i + 3] + 1 };
}

// "worker.js:9:5" -> "src/index.ts:3:1"; all else stays.
internals.originalPlace = (where) => {
  const found = internals.isScript?.() ? PLACE.exec(where) : null;
  if (!found) return where;
  const place = original(Number(found[1]), Number(found[2]));
  if (place) return `${place.file}:${place.line}:${place.column}`;
  return map ? 'corral:linked' : where;
};

// An asynchronous function has two frames: its body, and behind it where it begins, in a column that means nothing.  May
// this place be of that kind?
let source;
internals.isAsyncStart = (where) => {
  const found = internals.isScript?.() ? PLACE.exec(where) : null;
  if (!found) return false;
  if (source === undefined) {
    const bytes = native.readLinked(SCRIPT);
    source = bytes === undefined ? [] : internals.decodeUTF8(bytes).split('\n');
  }
  const line = source[found[1] - 1] ?? '';
  return line.length < LINE_MAX && /\basync\b/.test(line);
};

// Where an error comes from, as far as it is the worker's own code: { file, line, column, isParsed }; isParsed: the
// script itself is not JavaScript there.
internals.firstPlace = (error) => {
  try {
    const isParsed = error instanceof SyntaxError && error.sourceURL === SCRIPT && !/@worker\.js/.test(String(error.stack));
    if (isParsed) return { ...original(error.line, error.column || 1) ?? { file: SCRIPT, line: error.line, column: error.column || 1 }, isParsed };
    const found = /\(?([^\s()]+):(\d+):(\d+)\)?$/m.exec(internals.stackLines(error));
    return found ? { file: found[1], line: Number(found[2]), column: Number(found[3]) } : {};
  } catch { return {}; }
};
