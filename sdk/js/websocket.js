// websocket.js - WebSocket, WebSocketPair and their events, as Cloudflare's runtime has them.
//
// A pair is two ends.  What one sends the other takes: by its listeners once it
// is accepted, and before that it waits.  An end that was given to a Response is
// coupled: what it takes goes to the client (realm/socket.c), and what the
// client sends is taken by the other end.
//
// So is the hidden end of a pair whose other one leads to another server: by
// new WebSocket(), which is accepted as soon as it is open, or by fetch().

const { Event, EventTarget, ErrorEvent, Blob } = globalThis, { DOMException } = internals;
const GONE = 0, TEXT = 1, BINARY = 2, CLOSE = 8;      // enum socket_kind
const OPENED = 3;         // a channel: its client has had its 101
const NO_CODE = 1005, ABNORMAL = 1006, FAILED = 1011;
const READY = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'], [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3];
const NOT_ACCEPTED = 'You must call one of accept() or state.acceptWebSocket() on this WebSocket before sending messages.';

class MessageEvent extends Event {
  #init;
  constructor(type, init) {
    if (arguments.length === 0) throw new TypeError("Failed to construct 'MessageEvent': constructor parameter 1 is not of type 'string'.");
    if (typeof init !== 'object' || init === null) throw new TypeError("Failed to construct 'MessageEvent': constructor parameter 2 is not of type 'Initializer'.");
    super(type, init);
    this.#init = internals.options(init, 'MessageEvent');
  }
  get data() { return this.#init.data; }
  get origin() { return this.#init.origin ?? null; }
  get lastEventId() { return this.#init.lastEventId ?? ''; }
  get source() { return this.#init.source ?? null; }
  get ports() { return this.#init.ports ?? []; }
}

class CloseEvent extends Event {
  #code; #reason; #wasClean;
  constructor(type, init = undefined) {
    super(...arguments);
    const { code = 0, reason = '', wasClean = false } = internals.options(init, 'CloseEvent');
    this.#code = Number(code) & 0xffff;
    this.#reason = String(reason);
    this.#wasClean = Boolean(wasClean);
  }
  get code() { return this.#code; }
  get reason() { return this.#reason; }
  get wasClean() { return this.#wasClean; }
}

// What depends on the worker's compatibility date: see setSocketWays.
let repliesToClose = true, binaryDefault = 'blob';

// A message as it is sent, or a copy that its sender cannot change any more.
function messageOf(value) {
  if (typeof value === 'string') return value;
  if (value === undefined) throw new TypeError("Failed to execute 'send' on 'WebSocket': parameter 1 is not of type 'ArrayBuffer or ArrayBufferView or string'.");
  return (typeof value === 'object' && value !== null ? internals.chunkBytes(value) ?? internals.bytesOfBlob(value) : null) ?? String(value);
}
const taken = (message) => (typeof message === 'string' ? [TEXT, internals.toUSVString(message)] : [BINARY, new Uint8Array(message).buffer]);

function checkedCode(code, reason) {
  if (code === undefined) {
    if (reason !== undefined) throw new DOMException('If you specify a WebSocket close reason, you must also specify a code.', 'InvalidAccessError');
    return NO_CODE;
  }
  const number = Math.trunc(Number(code)) || 0;
  if (number < 1000 || number > 4999 || number === 1004 || number === NO_CODE || number === ABNORMAL || number === 1015)
    throw new DOMException(`Invalid WebSocket close code: ${number}.`, 'InvalidAccessError');
  return number;
}

const LOST = 'Network connection lost.', NOT_OPEN = 'Failed to establish websocket connection';
const ATTACHMENT_MAX = 16384;
let making = false;

// Who opens a socket and does not keep it would keep a connection until its request ends.
const registry = new FinalizationRegistry((stream) => native.bodyForget(stream));

class WebSocket extends EventTarget {
  #peer = null;
  #stream = 0;              // coupled: the request whose client this is
  #isCoupled = false;
  #isAccepted = false;
  #isHalfOpen = false;      // closes are not answered by themselves
  #hasClosed = false;       // this end has sent its close
  #isClosed = false;        // the other one has
  #isLost = false;          // without closes
  #inbox = null;            // [kind, data, code] that are not told yet
  #isDue = false;           // a turn in which the first of them is told
  #isHeldUp = false;        // the client at the other end is not read, because the inbox is not
  #hearing = 0;             // items that are being told
  #listener = null;         // instead of events: see openChannel
  #binaryType = binaryDefault;
  #owner = -1;              // leads to another server: the request that asked for it, or 0
  #dialling = null;         // by the constructor, and not open yet: the signal that ends it
  #url = null;
  #protocol = '';
  #extensions = '';
  #attachment = null;

  constructor(url, protocols = undefined) {
    if (making) {
      super();
      return;
    }
    if (arguments.length === 0) throw new TypeError("Failed to construct 'WebSocket': constructor parameter 1 is not of type 'string'.");
    const { href, names } = internals.checkSocketUrl(url, protocols);
    if (!internals.isServing()) throw new Error(internals.GLOBAL_SCOPE);
    super();
    this.#url = String(url);
    this.#owner = native.currentRequest();
    this.#dialling = internals.newSignal();
    internals.dialSocket(href, names, this.#owner, this.#dialling).then(
      ({ stream, protocol }) => this.#open(stream, protocol),
      (error) => this.#failToOpen(error));
  }

  // ---- to another server ----

  #lead(stream) {
    making = true;
    try { this.#peer = new WebSocket(); } finally { making = false; }
    this.#peer.#isCoupled = true;
    this.#peer.#peer = this;
    this.#peer.#stream = stream;
  }

  // What comes is read from now on, and the request goes on until it has ended.
  #join() {
    const end = this.#peer, owner = this.#owner, isHeld = native.hold(owner);
    const listener = (kind, data, code) => {
      try { end.#arrive(kind, data, code); } finally { if (kind === GONE && isHeld) native.release(owner); }
    };
    this.#isAccepted = true;
    if (!native.socketJoin(end.#stream, listener)) listener(GONE, LOST, ABNORMAL);
  }

  #open(stream, protocol) {
    if (internals.isAborted(this.#dialling)) {
      native.bodyDrop(stream);
      this.#failToOpen(internals.abortReason(this.#dialling));
      return;
    }
    this.#dialling = null;
    [this.#protocol, this.#extensions] = [protocol, null];
    this.#lead(stream);
    this.#join();
    internals.fire(this, new Event('open'));
  }

  #failToOpen(error) {
    this.#dialling = null;
    this.#isLost = true;
    internals.fire(this, new ErrorEvent('error', { error, message: `Uncaught ${internals.errorParts(error).slice(0, 2).join(': ')}` }));
    internals.fire(this, new CloseEvent('close', { code: ABNORMAL, reason: NOT_OPEN, wasClean: false }));
    internals.forgetListeners(this);
  }

  get readyState() {
    if (this.#isLost || (this.#hasClosed && this.#isClosed)) return CLOSED;
    if (this.#dialling !== null) return internals.isAborted(this.#dialling) ? CLOSING : CONNECTING;
    return this.#hasClosed || this.#isClosed ? CLOSING : OPEN;
  }
  get url() { return this.#url; }
  get protocol() { return this.#protocol; }
  get extensions() { return this.#extensions; }
  get bufferedAmount() { return this.#peer?.#stream ? native.socketWaiting(this.#peer.#stream) : 0; }
  get binaryType() { return this.#binaryType; }
  set binaryType(value) { if (value === 'blob' || value === 'arraybuffer') this.#binaryType = value; }

  // Take what comes from now on.  options: { allowHalfOpen }: do not answer the other side's close.
  accept(options = undefined) {
    if (this.#dialling !== null) throw new TypeError("Websockets obtained from the 'new WebSocket()' constructor cannot call accept");
    if (this.#isCoupled) throw new TypeError("Can't accept() WebSocket that was already used in a response.");
    if (this.#isAccepted || this.#isLost) return;
    this.#isHalfOpen = Boolean(internals.options(options, 'accept').allowHalfOpen);
    if (this.#owner >= 0) {
      this.#join();
      return;
    }
    this.#isAccepted = true;
    this.#tellLater();
  }

  send(message) {
    if (this.#isLost && !this.#isAccepted) return;      // it was never open
    if (!this.#isAccepted) throw new TypeError(NOT_ACCEPTED);
    message = messageOf(message);
    if (this.#isLost) return;
    if (this.#hasClosed) {
      if (this.#isClosed && repliesToClose && !this.#isHalfOpen) return;    // it has been answered meanwhile
      throw new TypeError("Can't call WebSocket send() after close().");
    }
    const peer = this.#peer;
    if (peer.#stream) native.socketSend(peer.#stream, message);
    else peer.#take(taken(message));
  }

  close(code = undefined, reason = undefined) {
    if (this.#dialling !== null) {
      if (!internals.isAborted(this.#dialling)) internals.abortSignal(this.#dialling, new Error('Called close before connection was established.'));
      return;
    }
    if (this.#isLost && !this.#isAccepted) return;
    if (!this.#isAccepted) throw new TypeError(NOT_ACCEPTED);
    if (this.#hasClosed || this.#isLost) return;
    code = checkedCode(code, reason);
    this.#close(code, reason === undefined ? '' : internals.toUSVString(String(reason)));
  }

  #close(code, reason) {
    const peer = this.#peer;
    this.#hasClosed = true;
    if (peer.#stream) native.socketClose(peer.#stream, code, reason);
    else peer.#take([CLOSE, reason, code]);
  }

  // A value that goes with the socket, for who gets it back later.
  serializeAttachment(value) {
    if (arguments.length === 0) throw new TypeError("Failed to execute 'serializeAttachment' on 'WebSocket': parameter 1 is not of type 'Value'.");
    const kept = internals.structuredClone(value), length = internals.weighClone(kept);
    if (length > ATTACHMENT_MAX) throw new Error(`A WebSocket 'attachment' cannot be larger than ${ATTACHMENT_MAX} bytes.'attachment' was ${length} bytes.`);
    this.#attachment = kept;
  }
  deserializeAttachment() { return this.#attachment === null ? null : internals.structuredClone(this.#attachment); }

  // ---- what comes ----

  #take(item) {
    (this.#inbox ??= []).push(item);
    this.#tellLater();
  }

  // One in each turn of the loop.
  #tellLater() {
    if (this.#isDue || !this.#isAccepted || this.#inbox === null) return;
    this.#isDue = true;
    internals.startTimer(() => {
      this.#isDue = false;
      const item = this.#inbox.shift();
      if (this.#inbox.length === 0) this.#inbox = null;
      this.#tell(item);
      if (this.#inbox !== null) this.#tellLater();
      else if (this.#isHeldUp) {
        this.#isHeldUp = false;
        native.socketPause(this.#peer.#stream, false);
      }
    }, 0, false);
  }

  // Behind the last there is nothing more to hear: who listens is let go.  A function of Python that listens and holds
  // this end would else keep both for ever, since neither collector sees the other's half of the circle.
  #tell(item) {
    this.#hearing++;
    try { this.#hear(item); } finally { this.#hearing--; }
    if (this.#hearing > 0 || this.#inbox !== null || this.readyState !== CLOSED) return;      // a reply to a close comes before its event
    this.#listener = null;
    internals.forgetListeners(this);
  }

  #hear([kind, data, code]) {
    if (this.#listener !== null) {
      this.#note(kind);
      this.#listener(kind, data, code);
      return;
    }
    if (kind === TEXT || kind === BINARY) {
      if (kind === BINARY && this.#binaryType === 'blob') data = new Blob([data]);
      const failure = internals.fireOr(this, new MessageEvent('message', { data }));
      if (failure) this.#fail(failure.error);
    } else if (kind === CLOSE) this.#tellClose(data, code);
    else this.#tellGone(data, code);
  }

  #note(kind) {
    if (kind === CLOSE) this.#isClosed = true;
    if (kind === GONE && this.readyState !== CLOSED) this.#isLost = true;
  }

  #tellClose(reason, code) {
    this.#isClosed = true;
    if (repliesToClose && !this.#isHalfOpen && !this.#hasClosed) this.#close(code, reason);
    internals.fire(this, new CloseEvent('close', { code, reason, wasClean: true }));
    if (!this.#isHalfOpen && !this.#hasClosed) this.#close(code, reason);
  }

  // Every connection ends with this: after both closes there is nothing left to say.
  #tellGone(why, code) {
    if (this.readyState === CLOSED) return;
    this.#isLost = true;
    if (code !== ABNORMAL || why.startsWith('Network')) {
      const error = new Error(why);
      internals.fire(this, new ErrorEvent('error', { error, message: `Uncaught Error: ${why}` }));
    }
    internals.fire(this, new CloseEvent('close', { code, reason: why, wasClean: false }));
  }

  // A listener has thrown: the connection ends, as on Cloudflare, and here the client hears why.
  #fail(error) {
    if (!this.#hasClosed && !this.#isLost) this.#close(FAILED, '');
    let message = '';
    try { message = internals.errorParts(error).slice(0, 2).join(': '); } catch { /* it cannot be shown */ }
    internals.fire(this, new ErrorEvent('error', { error, message: `Uncaught ${message}` }));
  }

  // From the client of the coupled end.
  #arrive(kind, data, code) {
    const server = this.#peer;
    if (kind === GONE) this.#stream = 0;
    if (server.#isAccepted && server.#inbox === null) {
      server.#tell([kind, data, code]);
      return;
    }
    if (kind !== GONE && !server.#isHeldUp) {
      server.#isHeldUp = true;
      native.socketPause(this.#stream, true);
    }
    server.#take([kind, data, code]);
  }

  static {
    internals.isWebSocket = (value) => typeof value === 'object' && value !== null && #peer in value;
    internals.makeSocketPair = () => {
      making = true;
      try {
        const ends = [new WebSocket(), new WebSocket()];
        [ends[0].#peer, ends[1].#peer] = [ends[1], ends[0]];
        return ends;
      } finally { making = false; }
    };
    // Answer exchange `id` with 101 and this end; a string: why not.
    internals.coupleSocket = (id, socket, statusText, headers) => {
      if (socket.#dialling !== null) return "TypeError: Can't return WebSocket in a Response if it was created with `new WebSocket()`";
      if (socket.#isCoupled) return "TypeError: Can't return WebSocket that was already used in a response.";
      if (socket.#isAccepted) return "TypeError: Can't return WebSocket in a Response after calling accept().";
      if (!native.isUpgrade(id)) return 'TypeError: Worker tried to return a WebSocket in a response to a request which did not contain the header "Upgrade: websocket".';
      socket.#isCoupled = true;
      if (socket.#owner >= 0) return native.respondSocketRelay(id, statusText, headers, socket.#peer.#stream) || `Error: ${LOST}`;
      if (!native.respondSocket(id, statusText, headers, (kind, data, code) => { socket.#arrive(kind, data, code); })) {
        socket.#arrive(GONE, LOST, ABNORMAL);      // its client went before
        return true;
      }
      socket.#stream = id;
      for (const [kind, data, code] of socket.#inbox ?? []) {
        if (kind === CLOSE) native.socketClose(id, code, data);
        else native.socketSend(id, data);
      }
      socket.#inbox = null;
      socket.#peer.#listener?.(OPENED, '', 0);
      return true;
    };

    // The end of a connection that fetch() has opened: `stream` is its outcall.
    internals.socketOver = (stream, owner, protocol) => {
      making = true;
      try {
        const socket = new WebSocket();
        [socket.#owner, socket.#protocol, socket.#extensions] = [owner, protocol ?? '', ''];
        socket.#lead(stream);
        registry.register(socket, stream);
        return socket;
      } finally { making = false; }
    };

    // ---- for asgi.py: one end of a pair without events ----

    // listener(kind, data, code): see realm/socket.h.  -> [the end for the Response, the one for these functions]
    internals.openChannel = (listener) => {
      const ends = internals.makeSocketPair();
      ends[1].#listener = listener;
      ends[1].#isAccepted = ends[1].#isHalfOpen = true;
      return ends;
    };
    // Must the sender wait until wake() is called?  That is once, also when nobody takes it any more.
    internals.channelSend = (end, message) => {
      const peer = end.#peer, data = typeof message === 'string' ? message : native.pythonBytes(message);
      if (end.#hasClosed || end.#isLost) return false;
      return peer.#stream !== 0 && native.socketSend(peer.#stream, data) === 1;
    };
    internals.channelWatch = (end, wake) => { native.bodyWatch(end.#peer.#stream, wake); };
    internals.channelPause = (end, isPaused) => { native.socketPause(end.#peer.#stream, isPaused); };
    // Its application has ended: without a client nothing comes that could let go of its listener.
    internals.channelForget = (end) => { if (end.#peer.#stream === 0) end.#listener = null; };
    internals.channelClose = (end, code, reason) => { if (!end.#hasClosed && !end.#isLost) end.#close(code, reason); };
  }
}
for (const type of ['open', 'message', 'close', 'error']) internals.addHandler(WebSocket.prototype, type);
READY.forEach((name, value) => {
  for (const object of [WebSocket, WebSocket.prototype])
    for (const one of [`READY_STATE_${name}`, name]) Object.defineProperty(object, one, { value, enumerable: true });
});

const PROTOCOL = internals.pattern(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/);
const invalid = (text) => new DOMException(`WebSocket Constructor: ${text}`, 'SyntaxError');
internals.checkSocketUrl = (url, protocols) => {
  const href = internals.hrefOf(url);
  if (href === null) throw invalid('The url is invalid.');
  if (!/^wss?:/.test(href)) throw invalid('The url scheme must be ws or wss.');
  if (href.includes('#')) throw invalid('The url fragment must be empty.');
  const names = protocols === undefined || protocols === null ? [] : typeof protocols === 'string' ? [protocols] : [...protocols].map(String);
  if (names.length === 0 && protocols !== undefined && protocols !== null) throw invalid('The protocols array cannot be empty.');
  if (new internals.OwnSet(names).size < names.length) throw invalid('The protocols header cannot have repeating values.');
  if (!names.every((name) => PROTOCOL.test(name)))
    throw invalid(typeof protocols === 'string' ? 'The protocol header token is invalid.' : 'One of the protocol header tokens is invalid.');
  return { href: `http${href.slice(2)}`, names };
};

const NOT_CALLED = "Failed to construct 'WebSocketPair': Please use the 'new' operator, this object constructor cannot be called as a function.";
function WebSocketPair() {
  if (!new.target) throw new TypeError(NOT_CALLED);
  [this[0], this[1]] = internals.makeSocketPair();
}
Object.defineProperty(WebSocketPair.prototype, Symbol.iterator, {
  value: function* iterate() { yield this[0]; yield this[1]; }, writable: true, configurable: true,
});

// isReply: closes are answered before their event; binaryType: of new sockets.
internals.setSocketWays = (isReply, binaryType) => {
  repliesToClose = isReply;
  binaryDefault = binaryType;
};
for (const c of [MessageEvent, CloseEvent, WebSocket, WebSocketPair]) internals.tag(c);
internals.expose({ MessageEvent, CloseEvent, WebSocket, WebSocketPair });
