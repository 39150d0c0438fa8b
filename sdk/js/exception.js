// exception.js - DOMException: what the platform throws where a TypeError says too little.

const CODES = {
  IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5,
  NoModificationAllowedError: 7, NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10,
  InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14,
  InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20,
  URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
  __proto__: null,
};
const CONSTANTS = [
  'INDEX_SIZE_ERR', 'DOMSTRING_SIZE_ERR', 'HIERARCHY_REQUEST_ERR', 'WRONG_DOCUMENT_ERR', 'INVALID_CHARACTER_ERR',
  'NO_DATA_ALLOWED_ERR', 'NO_MODIFICATION_ALLOWED_ERR', 'NOT_FOUND_ERR', 'NOT_SUPPORTED_ERR', 'INUSE_ATTRIBUTE_ERR',
  'INVALID_STATE_ERR', 'SYNTAX_ERR', 'INVALID_MODIFICATION_ERR', 'NAMESPACE_ERR', 'INVALID_ACCESS_ERR',
  'VALIDATION_ERR', 'TYPE_MISMATCH_ERR', 'SECURITY_ERR', 'NETWORK_ERR', 'ABORT_ERR', 'URL_MISMATCH_ERR',
  'QUOTA_EXCEEDED_ERR', 'TIMEOUT_ERR', 'INVALID_NODE_TYPE_ERR', 'DATA_CLONE_ERR',
];

// An Error, so that it has a stack; name, message and code are the prototype's getters.
class DOMException extends Error {
  #message; #name;
  // options: the name, or as Node and workerd take it { name, cause }.
  constructor(message = '', options = 'Error') {
    super();
    this.#message = String(message);
    const more = typeof options === 'object' && options !== null ? options : null;
    const name = more ? more.name : options;
    this.#name = name === undefined ? 'Error' : String(name);
    if (more && 'cause' in more)
      Object.defineProperty(this, 'cause', { value: more.cause, configurable: true, writable: true, enumerable: false });
    internals.nameStack(this);
  }
  get name() { return this.#name; }
  get message() { return this.#message; }
  get code() { return CODES[this.#name] ?? 0; }
  static {
    internals.isDOMException = (value) => typeof value === 'object' && value !== null && #name in value;
  }
}
CONSTANTS.forEach((name, i) => {
  for (const object of [DOMException, DOMException.prototype])
    Object.defineProperty(object, name, { value: i + 1, enumerable: true });
});
internals.tag(DOMException);
internals.DOMException = DOMException;
internals.expose({ DOMException });
