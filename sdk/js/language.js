// language.js - what the other scripts use of the language: as it was before the worker's code could change it.
//
// Math, Reflect, JSON and Object are copies; the classes are those of everybody, since values are made of them.  What is
// called on values (text.split(), list.push()) is still everybody's: scripts that must not care take it first.

const { Math, Reflect, JSON, Object } = globalThis, { Error, RangeError, SyntaxError, TypeError } = internals.errors;
const { ownKeys, getOwnPropertyDescriptor, apply, defineProperty } = Reflect, { freeze, create } = Object;

function copied(from, to) {
  for (const key of ownKeys(from)) {
    if (typeof key !== 'string' || key === 'name' || key === 'length' || key === 'prototype') continue;
    defineProperty(to, key, getOwnPropertyDescriptor(from, key));
  }
  return to;
}
function OwnObject(value) { return apply(Object, undefined, [value]); }
OwnObject.prototype = Object.prototype;

internals.language = freeze({
  __proto__: null, Array, ArrayBuffer, BigInt, Boolean, DataView, Date, Error, Function, Map, Number, Promise, Proxy, RangeError, RegExp, Set, String, Symbol, SyntaxError,
  TypeError, Uint8Array, WeakMap, WeakRef,
  JSON: freeze(copied(JSON, create(null))), Math: freeze(copied(Math, create(null))), Reflect: freeze(copied(Reflect, create(null))), Object: freeze(copied(Object, OwnObject)),
});

// A class for the platform alone: its objects' methods stay what they are when the worker changes those of all.
internals.ownClass = (Base) => {
  class Own extends Base {
    constructor(first, second) { super(first, second); }
  }
  for (const key of ownKeys(Base.prototype))
    if (key !== 'constructor') defineProperty(Own.prototype, key, getOwnPropertyDescriptor(Base.prototype, key));
  return Own;
};

// A pattern whose test() and exec() stay what they are.
const { exec, test } = RegExp.prototype;
internals.pattern = (pattern) => {
  defineProperty(pattern, 'exec', { value: exec });
  defineProperty(pattern, 'test', { value: test });
  return pattern;
};

internals.OwnMap = internals.ownClass(Map);
internals.OwnSet = internals.ownClass(Set);
