// worker.mjs - the worker of bench/js, the same for Corral and for workerd.
import { programs } from './programs.mjs';

const CHUNK = 64 * 1024;

// So many megabytes through a TransformStream: how many bytes came out.
async function transform(megabytes) {
  const chunk = new Uint8Array(CHUNK);
  let left = megabytes * (1_000_000 / CHUNK), bytes = 0;
  const source = new ReadableStream({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const passed = source.pipeThrough(new TransformStream({ transform(piece, controller) { controller.enqueue(piece); } }));
  for await (const piece of passed) bytes += piece.byteLength;
  return bytes;
}

async function digests(times) {
  const megabyte = new Uint8Array(1 << 20);
  let last;
  for (let i = 0; i < times; i++) last = await crypto.subtle.digest('SHA-256', megabyte);
  return new Uint8Array(last)[0];
}

export default {
  async fetch(request) {
    if (request.headers.get('upgrade') === 'websocket') {
      const { 0: client, 1: server } = new WebSocketPair();
      server.accept();
      server.addEventListener('message', ({ data }) => server.send(data));
      return new Response(null, { status: 101, webSocket: client });
    }
    const { pathname, searchParams } = new URL(request.url), name = pathname.slice(1);
    if (programs[name]) return new Response(String(programs[name]()));
    if (name === 'transform') return new Response(String(await transform(Number(searchParams.get('n')))));
    if (name === 'digests') return new Response(String(await digests(Number(searchParams.get('n')))));
    return new Response(`no program ${name}`, { status: 404 });
  },
};
