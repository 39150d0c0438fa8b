// A worker whose work is done in C: POST a text, and get its most frequent words.
import module from '../build/words.wasm';

const MOST = 10;
// wasi-libc's printf would write to files; there are none here.
const refuse = () => 52;        // ENOSYS
const { exports: c } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: { fd_close: refuse, fd_seek: refuse, fd_write: refuse } });
c._initialize();

function countWords(bytes) {
  const text = c.room_for(bytes.length);
  if (text === 0) throw new RangeError('the text is too long');
  new Uint8Array(c.memory.buffer).set(bytes, text);     // the buffer is a new one whenever memory has grown
  const lines = c.count_words(text, bytes.length, MOST), memory = new Uint8Array(c.memory.buffer);
  if (lines === 0) throw new RangeError('the text is too long');
  return new TextDecoder().decode(memory.subarray(lines, memory.indexOf(0, lines)));
}

export default {
  async fetch(request) {
    if (request.method !== 'POST') return new Response('POST a text to count its words\n', { status: 405, headers: { allow: 'POST' } });
    return new Response(countWords(new Uint8Array(await request.arrayBuffer())));
  },
};
