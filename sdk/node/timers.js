// node:timers
import { clearImmediate, promises, setImmediate, setInterval, setTimeout, stopInterval as clearInterval, stopTimeout as clearTimeout } from 'node:internal/timers';

const active = () => {}, unenroll = () => {}, enroll = () => {}, _unrefActive = () => {};
export { active, clearImmediate, clearInterval, clearTimeout, enroll, promises, setImmediate, setInterval, setTimeout, unenroll, _unrefActive };
export default { active, clearImmediate, clearInterval, clearTimeout, enroll, promises, setImmediate, setInterval, setTimeout, unenroll, _unrefActive };
