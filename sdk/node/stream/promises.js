// node:stream/promises
import { promises } from 'node:internal/stream';

export const { finished, pipeline } = promises;
export default promises;
