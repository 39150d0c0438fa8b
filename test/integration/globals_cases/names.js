// Every name of the global object: [typeof, the names that it, its prototype and what stands above them have].
const plain = new Set(Reflect.ownKeys(Object.prototype));
function namesAbove(value) {
  const names = new Set();
  for (let o = value; o !== null && o !== undefined && o !== Object.prototype && o !== Function.prototype; o = Object.getPrototypeOf(o))
    for (const key of Reflect.ownKeys(o)) if (typeof key === 'string' && !plain.has(key)) names.add(key);
  return [...names].sort();
}
function globals() {
  const found = {};
  for (let o = globalThis; o && o !== Object.prototype; o = Object.getPrototypeOf(o)) {
    for (const key of Reflect.ownKeys(o)) {
      if (typeof key !== 'string' || key in found) continue;
      const value = globalThis[key], isOwn = value === globalThis;
      found[key] = [typeof value, isOwn || value === null || (typeof value !== 'object' && typeof value !== 'function') ? []
        : typeof value === 'function' ? [namesAbove(value), namesAbove(value.prototype)] : [namesAbove(value)]];
    }
  }
  return found;
}
