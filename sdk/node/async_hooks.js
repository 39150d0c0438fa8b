// node:async_hooks - who imports it is linked with async functions made of promises.
export * from 'node:internal/async_hooks';
export { default } from 'node:internal/async_hooks';
