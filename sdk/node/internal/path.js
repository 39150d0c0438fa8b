// path.js - names of files, of POSIX and of Windows.
import { checkObject, checkString } from 'node:internal/errors';

const cwd = () => '/bundle';

// "." and ".." resolved; separators are all of `isSeparator`, and `separator` in the result.
function normalized(path, mayRise, separator, isSeparator) {
  const parts = [];
  for (const part of path.split(isSeparator)) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (mayRise) parts.push('..');
  }
  return parts.join(separator);
}

function extensionAt(base) {
  const dot = base.lastIndexOf('.');
  return dot <= 0 || base === '..' ? '' : base.slice(dot);
}
function formatWith(separator, object) {
  checkObject(object, 'pathObject');
  const dir = object.dir || object.root, base = object.base || `${object.name || ''}${object.ext ? `${object.ext[0] === '.' ? '' : '.'}${object.ext}` : ''}`;
  if (!dir) return base;
  return dir === object.root ? `${dir}${base}` : `${dir}${separator}${base}`;
}
function baseOf(path, suffix, isSeparator, start) {
  if (suffix !== undefined && suffix === path) return '';
  let end = path.length;
  while (end > start && isSeparator.test(path[end - 1])) end--;
  let from = end;
  while (from > start && !isSeparator.test(path[from - 1])) from--;
  const base = path.slice(from, end);
  return suffix !== undefined && suffix !== base && base.endsWith(suffix) ? base.slice(0, base.length - suffix.length) : base;
}

export const posix = {
  sep: '/', delimiter: ':', win32: null, posix: null,
  resolve(...paths) {
    let result = '', isAbsolute = false;
    for (let i = paths.length - 1; i >= -1 && !isAbsolute; i--) {
      const path = i >= 0 ? paths[i] : cwd();
      checkString(path, `paths[${i}]`);
      if (path.length === 0) continue;
      result = `${path}/${result}`;
      isAbsolute = path[0] === '/';
    }
    result = normalized(result, !isAbsolute, '/', '/');
    return isAbsolute ? `/${result}` : result || '.';
  },
  normalize(path) {
    checkString(path, 'path');
    if (path.length === 0) return '.';
    const isAbsolute = path[0] === '/', hasEnd = path.endsWith('/');
    let result = normalized(path, !isAbsolute, '/', '/');
    if (result === '') return isAbsolute ? '/' : hasEnd ? './' : '.';
    if (hasEnd) result += '/';
    return isAbsolute ? `/${result}` : result;
  },
  isAbsolute(path) {
    checkString(path, 'path');
    return path[0] === '/';
  },
  join(...paths) {
    for (const path of paths) checkString(path, 'path');
    const joined = paths.filter((path) => path.length > 0).join('/');
    return joined === '' ? '.' : posix.normalize(joined);
  },
  relative(from, to) {
    checkString(from, 'from');
    checkString(to, 'to');
    if (from === to) return '';
    const one = posix.resolve(from), other = posix.resolve(to);
    if (one === other) return '';
    const a = one === '/' ? [] : one.slice(1).split('/'), b = other === '/' ? [] : other.slice(1).split('/');
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  },
  toNamespacedPath: (path) => path,
  dirname(path) {
    checkString(path, 'path');
    if (path.length === 0) return '.';
    let end = path.length;
    while (end > 1 && path[end - 1] === '/') end--;
    const at = path.lastIndexOf('/', end - 1);
    if (at <= 0) return path[0] === '/' ? '/' : '.';
    return at === 1 && path[0] === '/' ? '//' : path.slice(0, at);
  },
  basename(path, suffix) {
    if (suffix !== undefined) checkString(suffix, 'suffix');
    checkString(path, 'path');
    return baseOf(path, suffix, /\//, 0);
  },
  extname(path) {
    checkString(path, 'path');
    return extensionAt(baseOf(path, undefined, /\//, 0));
  },
  format(object) { return formatWith('/', object); },
  parse(path) {
    checkString(path, 'path');
    const result = { root: path[0] === '/' ? '/' : '', dir: '', base: '', ext: '', name: '' };
    if (path.length === 0) return result;
    result.base = baseOf(path, undefined, /\//, 0);
    result.ext = extensionAt(result.base);
    result.name = result.base.slice(0, result.base.length - result.ext.length);
    let end = path.length;
    while (end > 0 && path[end - 1] === '/') end--;
    const at = end - result.base.length;
    result.dir = at > 1 ? path.slice(0, at - 1) : result.root;
    return result;
  },
  matchesGlob(path, pattern) { return globOf(pattern, '/').test(path); },
};

function globOf(pattern, separator) {
  let text = '';
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    if (c === '*' && pattern[i + 1] === '*') {
      text += '.*';
      i += pattern[i + 2] === '/' ? 2 : 1;
    } else if (c === '*') text += '[^/]*';
    else if (c === '?') text += '[^/]';
    else text += c.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(`^${separator === '\\' ? text.replaceAll('/', '[\\\\/]') : text}$`);
}

// ---- Windows ----

const SEPARATOR = /[\\/]/;
const isSeparator = (c) => c === '/' || c === '\\';
// { device: "C:" or "\\\\host\\share", isAbsolute, end: where the root ends }
function rootOf(path) {
  const unc = /^[\\/]{2}([^\\/]+)[\\/]+([^\\/]+)/.exec(path);
  if (unc) {
    const { length } = unc[0];
    return { device: `\\\\${unc[1]}\\${unc[2]}`, isAbsolute: true, isUnc: true, end: isSeparator(path[length]) ? length + 1 : length };
  }
  if (isSeparator(path[0])) return { device: '', isAbsolute: true, end: 1 };
  if (/^[A-Za-z]:/.test(path)) return { device: path.slice(0, 2), isAbsolute: isSeparator(path[2]), end: isSeparator(path[2]) ? 3 : 2 };
  return { device: '', isAbsolute: false, end: 0 };
}

export const win32 = {
  sep: '\\', delimiter: ';', win32: null, posix: null,
  resolve(...paths) {
    let device = '', tail = '', isAbsolute = false;
    for (let i = paths.length - 1; i >= -1; i--) {
      let path;
      if (i >= 0) {
        path = paths[i];
        checkString(path, `paths[${i}]`);
        if (path.length === 0) continue;
      } else path = device === '' ? cwd() : `${device}\\`;
      const root = rootOf(path);
      if (root.device !== '') {
        if (device !== '') {
          if (root.device.toLowerCase() !== device.toLowerCase()) continue;
        } else device = root.device;
      }
      if (isAbsolute) {
        if (device !== '') break;
      } else {
        tail = `${path.slice(root.end)}\\${tail}`;
        isAbsolute = root.isAbsolute;
        if (isAbsolute && device !== '') break;
      }
    }
    tail = normalized(tail, !isAbsolute, '\\', SEPARATOR);
    return isAbsolute ? `${device}\\${tail}` : `${device}${tail}` || '.';
  },
  normalize(path) {
    checkString(path, 'path');
    if (path.length === 0) return '.';
    if (path.length === 1) return path === '/' ? '\\' : path;
    const { device, isAbsolute, isUnc, end } = rootOf(path);
    if (isUnc && end >= path.length && !isSeparator(path.at(-1))) return `${device}\\`;
    let tail = end < path.length ? normalized(path.slice(end), !isAbsolute, '\\', SEPARATOR) : '';
    if (tail === '' && !isAbsolute) tail = '.';
    if (tail.length > 0 && isSeparator(path.at(-1))) tail += '\\';
    return isAbsolute ? `${device}\\${tail}` : `${device}${tail}`;
  },
  isAbsolute(path) {
    checkString(path, 'path');
    return isSeparator(path[0]) || (/^[A-Za-z]:/.test(path) && isSeparator(path[2]));
  },
  join(...paths) {
    for (const path of paths) checkString(path, 'path');
    const given = paths.filter((path) => path.length > 0);
    if (given.length === 0) return '.';
    let joined = given.join('\\');
    // Only a first part that is an UNC name of its own begins one.
    const first = given[0], slashes = /^[\\/]*/.exec(joined)[0].length;
    if (!(isSeparator(first[0]) && first.length > 1 && isSeparator(first[1]) && first.length > 2 && !isSeparator(first[2])) && slashes >= 2) joined = `\\${joined.slice(slashes)}`;
    return win32.normalize(joined);
  },
  relative(from, to) {
    checkString(from, 'from');
    checkString(to, 'to');
    if (from === to) return '';
    const one = win32.resolve(from), other = win32.resolve(to);
    if (one === other || one.toLowerCase() === other.toLowerCase()) return '';
    const a = one.split('\\').filter((p) => p !== ''), b = other.split('\\').filter((p) => p !== '');
    let same = 0;
    while (same < a.length && same < b.length && a[same].toLowerCase() === b[same].toLowerCase()) same++;
    if (same === 0 && rootOf(one).device !== rootOf(other).device) return other;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('\\');
  },
  toNamespacedPath(path) {
    if (typeof path !== 'string' || path.length === 0) return path;
    const resolved = win32.resolve(path);
    if (resolved.length <= 2) return path;
    if (resolved.startsWith('\\\\') && resolved[2] !== '?' && resolved[2] !== '.') return `\\\\?\\UNC\\${resolved.slice(2)}`;
    return /^[A-Za-z]:\\/.test(resolved) ? `\\\\?\\${resolved}` : path;
  },
  dirname(path) {
    checkString(path, 'path');
    const { length } = path;
    if (length === 0) return '.';
    if (length === 1) return isSeparator(path) ? path : '.';
    const { end: root, isUnc } = rootOf(path);
    if (isUnc && root >= length) return path;
    let end = length;
    while (end > root && isSeparator(path[end - 1])) end--;
    while (end > root && !isSeparator(path[end - 1])) end--;
    if (end > root) end--;
    else return root === 0 ? '.' : path.slice(0, root);
    return path.slice(0, Math.max(end, root));
  },
  basename(path, suffix) {
    if (suffix !== undefined) checkString(suffix, 'suffix');
    checkString(path, 'path');
    return baseOf(path, suffix, SEPARATOR, /^[A-Za-z]:/.test(path) ? 2 : 0);
  },
  extname(path) {
    checkString(path, 'path');
    return extensionAt(baseOf(path, undefined, SEPARATOR, /^[A-Za-z]:/.test(path) ? 2 : 0));
  },
  format(object) { return formatWith('\\', object); },
  parse(path) {
    checkString(path, 'path');
    const result = { root: '', dir: '', base: '', ext: '', name: '' };
    if (path.length === 0) return result;
    const { end: root } = rootOf(path);
    result.root = path.slice(0, root);
    result.base = path.length > root ? baseOf(path, undefined, SEPARATOR, root) : '';
    result.ext = extensionAt(result.base);
    result.name = result.base.slice(0, result.base.length - result.ext.length);
    let end = path.length;
    while (end > root && isSeparator(path[end - 1])) end--;
    const at = end - result.base.length;
    result.dir = at > root ? path.slice(0, at - 1) : result.root;
    return result;
  },
  matchesGlob(path, pattern) { return globOf(pattern, '\\').test(path); },
};
posix.win32 = win32.win32 = win32;
posix.posix = win32.posix = posix;
posix._makeLong = posix.toNamespacedPath;
win32._makeLong = win32.toNamespacedPath;
