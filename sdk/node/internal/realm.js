// realm.js - the realm's part of node's modules (sdk/js/node.js).
export const realm = __corral.module('corral:node');
export const kInspect = Symbol.for('nodejs.util.inspect.custom');
