// node.mjs PORT KIND - what Node.js does beside the workers: hello, programs, echo (needs the package ws).
import { createServer } from 'node:http';
import { programs } from './programs.mjs';

const [port, kind] = process.argv.slice(2);
const server = createServer((request, response) => {
  const name = request.url.slice(1);
  if (kind === 'programs' && programs[name]) response.end(String(programs[name]()));
  else response.writeHead(200, { 'content-type': 'text/plain;charset=UTF-8', 'content-length': '12' }).end('Hello world!');
});
if (kind === 'echo') {
  const { WebSocketServer } = await import(`${process.env.PEERS}/ws/wrapper.mjs`);
  new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (data, isBinary) => { socket.send(data, { binary: isBinary }); });
  });
}
server.listen(Number(port), '127.0.0.1');
