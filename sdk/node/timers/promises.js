// node:timers/promises
import { promises } from 'node:internal/timers';

export const { setTimeout, setImmediate, setInterval, scheduler } = promises;
export default promises;
