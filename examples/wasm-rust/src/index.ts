// A worker whose work is done in Rust: the game of life, so many steps on.
import module from '../build/life.wasm';

interface Life {
  memory: WebAssembly.Memory;
  start(size: number): void;
  live(x: number, y: number): void;
  step(times: number): void;
  picture(): number;
  picture_length(): number;
}
const life = new WebAssembly.Instance(module).exports as unknown as Life;

const GLIDER = [[1, 0], [2, 1], [0, 2], [1, 2], [2, 2]];
const SIZE = 12, MOST_STEPS = 10_000;

export default {
  async fetch(request: Request): Promise<Response> {
    const steps = Number(new URL(request.url).searchParams.get('steps') ?? 0);
    if (!Number.isInteger(steps) || steps < 0 || steps > MOST_STEPS) {
      return new Response(`steps is a number from 0 to ${MOST_STEPS}\n`, { status: 400 });
    }
    life.start(SIZE);
    for (const [x, y] of GLIDER) life.live(x, y);
    life.step(steps);
    const at = life.picture();
    return new Response(new TextDecoder().decode(new Uint8Array(life.memory.buffer, at, life.picture_length())));
  },
};
