// assertion.js - AssertionError: what was expected beside what there was.
import { checkObject } from 'node:internal/errors';
import { inspect } from 'node:internal/inspect';

const HEADS = {
  deepStrictEqual: 'Expected values to be strictly deep-equal:', strictEqual: 'Expected values to be strictly equal:',
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":', deepEqual: 'Expected values to be loosely deep-equal:',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:', notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":', notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values have same structure but are not reference-equal:', notDeepEqualUnequal: 'Expected values not to be loosely deep-equal:',
};
const inspectValue = (value) => inspect(value, { compact: false, customInspect: false, depth: 1000, maxArrayLength: Infinity, showHidden: false, showProxy: false, sorted: true, getters: true, breakLength: Infinity });
const isObject = (value) => typeof value === 'object' && value !== null;
const MAX_LINES = 50;

// Lines of both with what is common: the longest common subsequence, of what differs in the middle.
function diffLines(a, b) {
  const isSame = (one, other) => one === other || `${one},` === other || one === `${other},`, longer = (one, other) => (one.length >= other.length ? one : other);
  let start = 0, endA = a.length, endB = b.length;
  while (start < endA && start < endB && isSame(a[start], b[start])) start++;
  while (endA > start && endB > start && isSame(a[endA - 1], b[endB - 1])) {
    endA--;
    endB--;
  }
  const lines = a.slice(0, start).map((line, i) => `  ${longer(line, b[i])}`), n = endA - start, m = endB - start;
  if (n * m > 1e6) {
    for (let i = start; i < endA; i++) lines.push(`+ ${a[i]}`);
    for (let i = start; i < endB; i++) lines.push(`- ${b[i]}`);
  } else {
    const common = Array.from({ length: n + 1 }, () => new Uint32Array(m + 1));
    for (let i = n - 1; i >= 0; i--) for (let j = m - 1; j >= 0; j--) common[i][j] = isSame(a[start + i], b[start + j]) ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
    for (let i = 0, j = 0; i < n || j < m;) {
      if (i < n && j < m && isSame(a[start + i], b[start + j])) {
        lines.push(`  ${longer(a[start + i], b[start + j])}`);
        i++;
        j++;
      } else if (i < n && (j >= m || common[i + 1][j] >= common[i][j + 1])) lines.push(`+ ${a[start + i++]}`);
      else lines.push(`- ${b[start + j++]}`);
    }
  }
  for (let i = endA; i < a.length; i++) lines.push(`  ${a[i]}`);
  return lines;
}

// Equal lines far from every difference are left out.
function shortened(lines) {
  const result = [];
  let isCut = false;
  for (let i = 0; i < lines.length; i++) {
    const isNear = lines.slice(Math.max(0, i - 1), i + 3).some((line) => line[0] !== ' ') || i < 2 || i >= lines.length - 3;
    if (isNear || lines.length <= 6) result.push(lines[i]);
    else if (result.at(-1) !== '...') {
      result.push('...');
      isCut = true;
    }
    if (result.length > MAX_LINES) {
      result.push('...');
      isCut = true;
      break;
    }
  }
  return [result, isCut];
}

function differenceOf(actual, expected, operator) {
  const one = inspectValue(actual).split('\n'), other = inspectValue(expected).split('\n');
  if (operator === 'strictEqual' && ((isObject(actual) && isObject(expected)) || (typeof actual === 'function' && typeof expected === 'function'))) operator = 'strictEqualObject';
  if (one.length === 1 && other.length === 1 && one[0] !== other[0]) {
    const length = one[0].length + other[0].length;
    if (length <= 12) {
      if ((!isObject(actual)) && (!isObject(expected)) && (actual !== 0 || expected !== 0)) return `${HEADS[operator]}\n\n${one[0]} !== ${other[0]}\n`;
    } else if (operator !== 'strictEqualObject' && length < 80) {
      let at = 0;
      while (one[0][at] === other[0][at]) at++;
      if (at > 2) return `${HEADS[operator]}\n+ actual - expected\n\n+ ${one[0]}\n- ${other[0]}\n${' '.repeat(at + 2)}^`;
    }
  }
  if (one.join('\n') === other.join('\n')) {
    return `${HEADS.notIdentical}\n\n${one.join('\n')}\n`;
  }
  const [lines, isCut] = shortened(diffLines(one, other));
  return `${HEADS[operator]}\n+ actual - expected${isCut ? ' ... Lines skipped' : ''}\n\n${lines.join('\n')}`;
}

function messageOf({ actual, expected, operator }) {
  if (operator === 'deepStrictEqual' || operator === 'strictEqual') return differenceOf(actual, expected, operator);
  if (operator === 'notDeepStrictEqual' || operator === 'notStrictEqual') {
    const lines = inspectValue(actual).split('\n');
    let head = HEADS[operator];
    if (operator === 'notStrictEqual' && (isObject(actual) || typeof actual === 'function')) head = HEADS.notStrictEqualObject;
    if (lines.length > MAX_LINES) lines.splice(46, lines.length, '...');
    return lines.length === 1 ? `${head}${lines[0].length > 5 ? '\n\n' : ' '}${lines[0]}` : `${head}\n\n${lines.join('\n')}\n`;
  }
  let one = inspectValue(actual), other = inspectValue(expected);
  const known = HEADS[operator];
  if (operator === 'notDeepEqual' && one === other) {
    one = `${known}\n\n${one}`;
    return one.length > 1024 ? `${one.slice(0, 1021)}...` : one;
  }
  if (one.length > 512) one = `${one.slice(0, 509)}...`;
  if (other.length > 512) other = `${other.slice(0, 509)}...`;
  if (operator === 'deepEqual') one = `${known}\n\n${one}\n\nshould loosely deep-equal\n\n`;
  else if (operator === 'notDeepEqual') one = `${HEADS.notDeepEqualUnequal}\n\n${one}\n\nshould not loosely deep-equal\n\n`;
  else other = ` ${operator} ${other}`;
  return `${one}${other}`;
}

export class AssertionError extends Error {
  constructor(options) {
    checkObject(options, 'options');
    const { message, operator, actual, expected } = options;
    super(message !== null && message !== undefined ? String(message) : messageOf(options));
    this.generatedMessage = !message;
    this.code = 'ERR_ASSERTION';
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    Object.defineProperty(this, 'name', { value: 'AssertionError', enumerable: false, writable: true, configurable: true });
  }
  toString() { return `${this.name} [${this.code}]: ${this.message}`; }
}
