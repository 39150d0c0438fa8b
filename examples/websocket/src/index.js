import page from './page.html';

const TEXT_MAX = 1000, NAME_MAX = 20, PEOPLE_MAX = 100;
const rooms = new Map();        // room -> Map of socket -> name: in this instance's memory

function tell(room, from, text) {
  const line = JSON.stringify({ from, text, people: rooms.get(room).size });
  for (const socket of rooms.get(room).keys()) socket.send(line);
}

function leave(room, socket) {
  const people = rooms.get(room), name = people?.get(socket);
  if (name === undefined) return;
  people.delete(socket);
  if (people.size === 0) rooms.delete(room);
  else tell(room, null, `${name} has left`);
}

function join(room, name, socket) {
  if (!rooms.has(room)) rooms.set(room, new Map());
  if (rooms.get(room).size >= PEOPLE_MAX) {
    socket.close(1013, 'the room is full');
    return;
  }
  rooms.get(room).set(socket, name);
  tell(room, null, `${name} is here`);
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string' && data.length <= TEXT_MAX) tell(room, name, data);
    else socket.close(1008, `only text of at most ${TEXT_MAX} characters`);
  });
  socket.addEventListener('close', () => leave(room, socket));
  socket.addEventListener('error', () => leave(room, socket));
}

export default {
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/') return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8' } });
    if (pathname !== '/echo' && pathname !== '/chat') return new Response('Not found\n', { status: 404 });
    if (request.headers.get('Upgrade') !== 'websocket') return new Response('Expected a WebSocket\n', { status: 426, headers: { upgrade: 'websocket' } });

    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    if (pathname === '/echo') server.addEventListener('message', ({ data }) => server.send(data));
    else join(searchParams.get('room') ?? '', (searchParams.get('name') || 'somebody').slice(0, NAME_MAX), server);
    return new Response(null, { status: 101, webSocket: client });
  },
};
