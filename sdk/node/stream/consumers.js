// node:stream/consumers - a whole stream as one value.
import { Buffer } from 'node:internal/buffer';
import { each } from 'node:internal/streams/iterate';

const { Blob, TextDecoder } = globalThis;

async function chunksOf(stream) {
  const chunks = [];
  await each(stream, (chunk) => { chunks.push(chunk); });
  return chunks;
}
async function blob(stream) { return new Blob(await chunksOf(stream)); }
async function arrayBuffer(stream) { return (await blob(stream)).arrayBuffer(); }
async function buffer(stream) { return Buffer.from(await arrayBuffer(stream)); }
async function text(stream) {
  const decoder = new TextDecoder();
  let result = '';
  for (const chunk of await chunksOf(stream)) result += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
  return result + decoder.decode();
}
async function json(stream) { return JSON.parse(await text(stream)); }
export { arrayBuffer, blob, buffer, json, text };
export default { arrayBuffer, blob, buffer, json, text };
