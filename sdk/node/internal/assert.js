// assert.js - node:assert.
import { argType, argValue, checkFunction, coded, received } from 'node:internal/errors';
import { AssertionError } from 'node:internal/assertion';
import { isDeepEqual, isDeepStrictEqual } from 'node:internal/equal';
import { inspect } from 'node:internal/inspect';
import { types } from 'node:internal/kinds';
import { stubs } from 'node:internal/stubs';

const NONE = Symbol('none');
const { isRegExp, isPromise } = types;

function raise(options) {
  if (options.message instanceof Error) throw options.message;
  throw new AssertionError(options);
}
function truth(name, count, value, message) {
  if (value) return;
  let generated = false;
  if (count === 0) {
    generated = true;
    message = 'No value argument passed to `assert.ok()`';
  } else if (message === undefined || message === null) {
    generated = true;
    message = 'The expression evaluated to a falsy value';
  } else if (message instanceof Error) throw message;
  const error = new AssertionError({ actual: value, expected: true, message, operator: '==' });
  error.generatedMessage = generated;
  throw error;
}
function assert(...args) { truth('assert', args.length, ...args); }
export const ok = function ok(...args) { truth('ok', args.length, ...args); };

function fail(actual, expected, message, operator) {
  const count = arguments.length;
  if (actual === null || actual === undefined) {
    if (count <= 1) raise2('Failed', { operator: 'fail' });
  } else if (count === 1) {
    if (actual instanceof Error) throw actual;
    throw new AssertionError({ message: actual, operator: 'fail' });
  }
  if (count === 2) operator = '!=';
  if (message instanceof Error) throw message;
  throw new AssertionError({ actual, expected, operator: operator === undefined ? 'fail' : operator, ...(message === undefined ? {} : { message }) });
}
function raise2(message, options) {
  const error = new AssertionError({ message, ...options });
  error.generatedMessage = true;
  throw error;
}

const needs = (args) => {
  if (args.length < 2) throw coded(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
};
// eslint-disable-next-line eqeqeq
const loosely = (a, b) => a == b || (a !== a && b !== b);
const comparing = (operator, is) => ({
  [operator](...args) {
    needs(args);
    const [actual, expected, message] = args;
    if (!is(actual, expected)) raise({ actual, expected, message, operator: { equal: '==', notEqual: '!=' }[operator] ?? operator });
  },
})[operator];

// Does what was thrown fit?  true, or it throws.
function expectedException(actual, expected, message, name) {
  let isGenerated = false, isThrown = false;
  if (typeof expected !== 'function') {
    if (isRegExp(expected)) {
      if (RegExp.prototype.exec.call(expected, String(actual)) !== null) return;
      if (!message) {
        isGenerated = true;
        message = `The input did not match the regular expression ${inspect(expected)}. Input:\n\n${inspect(String(actual))}\n`;
      }
      isThrown = true;
    } else if (typeof actual !== 'object' || actual === null) {
      const error = new AssertionError({ actual, expected, message, operator: 'deepStrictEqual' });
      error.operator = name;
      throw error;
    } else {
      const keys = Object.keys(expected);
      if (expected instanceof Error) keys.push('name', 'message');
      else if (keys.length === 0) throw argValue('error', expected, 'may not be an empty object');
      for (const key of keys) {
        if (typeof actual[key] === 'string' && isRegExp(expected[key]) && RegExp.prototype.exec.call(expected[key], actual[key]) !== null) continue;
        if (!(key in actual) || !isDeepStrictEqual(actual[key], expected[key])) compareKeys(actual, expected, key, keys, message, name);
      }
      return;
    }
  } else if (expected.prototype !== undefined && actual instanceof expected) return;
  else if (Object.prototype.isPrototypeOf.call(Error, expected)) {
    if (!message) {
      isGenerated = true;
      message = `The error is expected to be an instance of "${expected.name}". Received `;
      message += types.isNativeError(actual) || actual instanceof Error ? `"${actual.name}"` : `"${inspect(actual, { depth: -1 })}"`;
      if (actual?.message) message += `\n\nError message:\n\n${actual.message}`;
    }
    isThrown = true;
  } else {
    const result = Reflect.apply(expected, {}, [actual]);
    if (result === true) return;
    if (!message) {
      isGenerated = true;
      message = `The ${expected.name ? `"${expected.name}" ` : ''}validation function is expected to return "true". Received ${inspect(result)}`;
      if (types.isNativeError(actual)) message += `\n\nCaught error:\n\n${actual}`;
    }
    isThrown = true;
  }
  if (isThrown) {
    const error = new AssertionError({ actual, expected, message, operator: name });
    error.generatedMessage = isGenerated;
    throw error;
  }
}
class Comparison {}
function compareKeys(actual, expected, key, keys, message, name) {
  if (!message) {
    const only = (source, other) => {
      const made = new Comparison();
      for (const k of keys) if (k in source) made[k] = other !== undefined && typeof other[k] === 'string' && isRegExp(source[k]) && source[k].test(other[k]) ? other[k] : source[k];
      return made;
    };
    const a = only(actual), b = only(expected, actual), error = new AssertionError({ actual: a, expected: b, operator: 'deepStrictEqual' });
    error.actual = actual;
    error.expected = expected;
    error.operator = name;
    throw error;
  }
  raise({ actual, expected, message, operator: name });
}

function thrownBy(f) {
  checkFunction(f, 'fn');
  try { f(); } catch (error) { return error; }
  return NONE;
}
async function rejectedBy(promiseOrF) {
  let promise = promiseOrF;
  if (typeof promiseOrF === 'function') {
    promise = promiseOrF();
    if (!isThenable(promise)) throw coded(TypeError, 'ERR_INVALID_RETURN_VALUE', `Expected instance of Promise to be returned from the "promiseFn" function but got ${received(promise).slice(' Received '.length)}.`);
  } else if (!isThenable(promise)) throw argType('promiseFn', ['Function', 'Promise'], promise);
  try { await promise; } catch (error) { return error; }
  return NONE;
}
const isThenable = (value) => isPromise(value) || (value !== null && typeof value === 'object' && typeof value.then === 'function' && typeof value.catch === 'function');

function expectsError(name, actual, error, message) {
  if (typeof error === 'string') {
    if (arguments.length >= 4 && message !== undefined) throw argType('error', ['Object', 'Error', 'Function', 'RegExp'], error);
    if (actual !== NONE && ((typeof actual === 'object' && actual !== null && actual.message === error) || actual === error))
      throw coded(TypeError, 'ERR_AMBIGUOUS_ARGUMENT', `The "error/message" argument is ambiguous. ${typeof actual === 'object' ? `The error message "${actual.message}" is identical to the message.` : `The error "${actual}" is identical to the message.`}`);
    message = error;
    error = undefined;
  } else if (error !== null && error !== undefined && typeof error !== 'object' && typeof error !== 'function') throw argType('error', ['Object', 'Error', 'Function', 'RegExp'], error);
  if (actual === NONE) {
    let details = error?.name ? ` (${error.name})` : '';
    details += message ? `: ${message}` : '.';
    raise({ actual: undefined, expected: error, operator: name, message: `Missing expected ${name === 'rejects' ? 'rejection' : 'exception'}${details}` });
  }
  if (error) expectedException(actual, error, message, name);
}
function expectsNone(name, actual, error, message) {
  if (actual === NONE) return;
  if (typeof error === 'string') {
    message = error;
    error = undefined;
  }
  if (!error || (typeof error === 'function' && error.prototype !== undefined && actual instanceof error) || (isRegExp(error) && error.test(String(actual)))) {
    raise({ actual, expected: error, operator: name, message: `Got unwanted ${name === 'doesNotReject' ? 'rejection' : 'exception'}${message ? `: ${message}` : '.'}\nActual message: "${actual?.message}"` });
  }
  throw actual;
}
function matching(name, isWanted) {
  return (string, regexp, message) => {
    if (!isRegExp(regexp)) throw argType('regexp', 'RegExp', regexp);
    if (typeof string === 'string' && (RegExp.prototype.exec.call(regexp, string) !== null) === isWanted) return;
    if (message instanceof Error) throw message;
    const isGenerated = !message;
    message ||= typeof string !== 'string' ? `The "string" argument must be of type string. Received type ${typeof string} (${inspect(string)})`
      : `${isWanted ? 'The input did not match the regular expression ' : 'The input was expected to not match the regular expression '}${inspect(regexp)}. Input:\n\n${inspect(string)}\n`;
    const error = new AssertionError({ actual: string, expected: regexp, message, operator: name });
    error.generatedMessage = isGenerated;
    throw error;
  };
}

Object.assign(assert, {
  ok, fail, AssertionError,
  equal: comparing('equal', loosely), notEqual: comparing('notEqual', (a, b) => !loosely(a, b)),
  deepEqual: comparing('deepEqual', isDeepEqual), notDeepEqual: comparing('notDeepEqual', (a, b) => !isDeepEqual(a, b)),
  deepStrictEqual: comparing('deepStrictEqual', isDeepStrictEqual), notDeepStrictEqual: comparing('notDeepStrictEqual', (a, b) => !isDeepStrictEqual(a, b)),
  strictEqual: comparing('strictEqual', Object.is), notStrictEqual: comparing('notStrictEqual', (a, b) => !Object.is(a, b)),
  throws(f, ...args) { expectsError('throws', thrownBy(f), ...args); },
  async rejects(f, ...args) { expectsError('rejects', await rejectedBy(f), ...args); },
  doesNotThrow(f, ...args) { expectsNone('doesNotThrow', thrownBy(f), ...args); },
  async doesNotReject(f, ...args) { expectsNone('doesNotReject', await rejectedBy(f), ...args); },
  match: matching('match', true), doesNotMatch: matching('doesNotMatch', false),
  ifError(error) {
    if (error === null || error === undefined) return;
    let message = 'ifError got unwanted exception: ';
    message += typeof error === 'object' && typeof error.message === 'string' ? (error.message.length === 0 && error.constructor ? error.constructor.name : error.message) : inspect(error);
    const made = new AssertionError({ actual: error, expected: null, operator: 'ifError', message });
    made.generatedMessage = false;
    throw made;
  },
});
Object.assign(assert, stubs('assert', 'partialDeepStrictEqual', 'Assert CallTracker'));
const strict = Object.assign((...args) => truth('strict', args.length, ...args), assert, {
  equal: assert.strictEqual, deepEqual: assert.deepStrictEqual, notEqual: assert.notStrictEqual, notDeepEqual: assert.notDeepStrictEqual,
});
strict.strict = strict;
assert.strict = strict;
export default assert;
