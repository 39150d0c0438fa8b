// streams.mjs - megabytes a second through streams that stay in one process, by the clock of whoever calls; no server's part in it.
//
// pass(way, megabytes) takes them in chunks of 64 KiB from a ReadableStream through what `way` names to a reader.

const CHUNK = 64 * 1024;
const piece = new Uint8Array(CHUNK).map((_, i) => (i * 7919 >> 5) & 127);

function source(megabytes, type) {
  let left = Math.ceil(megabytes * 1e6 / CHUNK);
  return new ReadableStream({
    type,
    pull(controller) {
      if (left-- > 0) controller.enqueue(type ? piece.slice() : piece);
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

// One that fills the reader's own buffer.
function filling(megabytes) {
  let left = Math.ceil(megabytes * 1e6 / CHUNK);
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const { byobRequest } = controller;
      if (left-- > 0) {
        byobRequest.view.set(piece);
        byobRequest.respond(CHUNK);
      } else {
        controller.close();
        byobRequest.respond(0);
      }
    },
  });
}

const copying = () => new TransformStream({
  transform(chunk, controller) {
    const copy = new Uint8Array(chunk);
    copy[0] ^= 1;
    controller.enqueue(copy);
  },
});

export const WAYS = {
  identity: (n) => source(n).pipeThrough(new TransformStream()),
  transform: (n) => source(n).pipeThrough(copying()),
  three: (n) => source(n).pipeThrough(copying()).pipeThrough(copying()).pipeThrough(copying()),
  reader: (n) => source(n, 'bytes'),
  byob: (n) => filling(n),
  bytes: (n) => source(n, 'bytes').pipeThrough(copying()),
  text: (n) => source(n).pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream()),
  gzip: (n) => source(n / 4).pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip')),
};

export async function pass(way, megabytes) {
  const isByob = way === 'byob', reader = WAYS[way](megabytes).getReader(isByob ? { mode: 'byob' } : undefined);
  let size = 0, buffer = isByob ? new ArrayBuffer(CHUNK) : null;
  for (;;) {
    const { value, done } = await (isByob ? reader.read(new Uint8Array(buffer)) : reader.read());
    if (done) return size;
    size += value.byteLength;
    buffer = value.buffer;
  }
}

export default {
  async fetch(request) {
    const [way, megabytes] = new URL(request.url).pathname.slice(1).split('-');
    return new Response(way in WAYS ? String(await pass(way, Number(megabytes))) : 'ready');
  },
};
