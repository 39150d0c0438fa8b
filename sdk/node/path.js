// node:path
import { posix } from 'node:internal/path';

export const {
  resolve, normalize, isAbsolute, join, relative, toNamespacedPath, dirname, basename, extname, format, parse, matchesGlob, sep, delimiter, win32,
} = posix;
export { posix };
export default posix;
