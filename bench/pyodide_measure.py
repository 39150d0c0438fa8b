# The Python that bench/pyodide runs in a worker of Corral and in Pyodide: measure() -> [kind, what, ns].
import json
import re
from time import perf_counter_ns

from js import Headers, eval as evaluate
from pyodide.ffi import create_proxy, to_js


class Point:
    def __init__(self, x=1, y=2):
        self.x, self.y = x, y

    def sum(self, a):
        return self.x + a


there = evaluate("""
class Point {
  constructor(x = 1, y = 2) { this.x = x; this.y = y; }
  sum(a) { return this.x + a; }
}
({
  Point, point: new Point(), identity: (x) => x, lengthOf: (x) => x.length, call: (f) => f(1),
  small: 'x'.repeat(1000), large: 'x'.repeat(100000),
  empty: (n) => { for (let i = 0; i < n; i++) ; },
  get: (n, o) => { let s = 0; for (let i = 0; i < n; i++) s += o.x; return s; },
  set: (n, o) => { for (let i = 0; i < n; i++) o.x = i; },
  sum: (n, o) => { let s = 0; for (let i = 0; i < n; i++) s += o.sum(i); return s; },
  apply: (n, f) => { let s; for (let i = 0; i < n; i++) s = f(i); return s; },
})
""")
small, large = "x" * 1000, "x" * 100000
record = {"name": "Ada", "tags": ["a", "b", "c"], "born": 1815, "more": {"x": 1.5, "y": None, "z": True}}
records = to_js([dict(record, id=i) for i in range(50)])


# ---- loops over one operation ----


def empty(r):
    for _ in r:
        pass


def get(r, o):
    for _ in r:
        o.x


def set_(r, o):
    for _ in r:
        o.x = 3


def sum_(r, o):
    for _ in r:
        o.sum(1)


def call(r, f):
    for _ in r:
        f()


def call1(r, f, a):
    for _ in r:
        f(a)


def call2(r, f, a, b):
    for _ in r:
        f(a, b)


def read_small(r, o):
    for _ in r:
        o.small


def read_large(r, o):
    for _ in r:
        o.large


def once(f, *arguments):
    begun = perf_counter_ns()
    f(*arguments)
    return perf_counter_ns() - begun


def python(n, f, *arguments):
    """ns per turn of a loop in Python."""
    f(range(n // 5), *arguments)        # what it compiles, and what was left to be collected, is not its own
    return max(1.0, once(f, range(n), *arguments) - once(empty, range(n))) / n


def javascript(n, f, *arguments):
    """ns per turn of a loop in JavaScript."""
    f(n // 5, *arguments)
    return max(1.0, once(f, n, *arguments) - once(there.empty, n)) / n


# ---- programs ----


def program_json():
    data = [dict(record, id=i, text="line %d" % i) for i in range(500)]
    for _ in range(4):
        assert len(json.loads(json.dumps(data))) == 500


LOG = "\n".join(f"10.0.{i % 256}.{i % 7} - - [{i:02d}/Nov/2026] \"GET /path/{i}?q={i * 7} HTTP/1.1\" {200 + i % 5} {i * 13}" for i in range(2000))
LINE = re.compile(r'^(\S+) \S+ \S+ \[([^\]]+)\] "(\w+) (/[^\s?]*)(?:\?(\S*))? HTTP/[\d.]+" (\d{3}) (\d+)$', re.M)


def program_regex():
    total = 0
    for m in LINE.finditer(LOG):
        total += int(m[7])
    assert len(re.sub(r"\d+", lambda m: m[0][::-1], LOG)) == len(LOG)
    return total


def program_dict_and_str():
    counts = {}
    for line in LOG.split("\n"):
        for word in line.lower().replace("/", " ").replace('"', "").split():
            counts[word] = counts.get(word, 0) + 1
    return "".join(f"{word}={n};" for word, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def program_float_loop():
    inside, x = 0.0, 0.5
    for i in range(100_000):
        x = 3.99 * x * (1.0 - x)
        inside += x * x - x / (i + 1.0)
    return inside


class Shape:
    def area(self):
        raise NotImplementedError

    def scaled(self, by):
        return type(self)(*[value * by for value in self.sizes()])


class Box(Shape):
    def __init__(self, width, height):
        self.width, self.height = width, height

    def sizes(self):
        return self.width, self.height

    def area(self):
        return self.width * self.height


class Square(Box):
    def __init__(self, width, height=None):
        super().__init__(width, width)

    @property
    def side(self):
        return self.width


def program_classes():
    total = 0
    for i in range(8000):
        shape = (Box(i, 2) if i % 2 else Square(i)).scaled(2)
        total += shape.area() + (shape.side if isinstance(shape, Square) else 0)
    return total


def measure():
    n, m, k = 5000, 2000, 100
    one, text, program, more = "a crossing", "a string's crossing", "a program", "more"
    here, kept = Point(), create_proxy(Point())
    rows = [
        (one, "attribute get", python(n, get, there.point)),
        (more, "attribute set", python(n, set_, there.point)),
        (one, "method call", python(n, sum_, there.point)),
        (more, "function call", python(n, call1, there.identity, 1)),
        (one, "constructor", python(n, call2, there.Point.new, 1, 2)),
        (one, "Headers.new()", python(m, call, Headers.new)),
        (one, "callback", python(n, call1, there.call, abs)),
        (more, "JavaScript: attribute get", javascript(n, there.get, kept)),
        (more, "JavaScript: attribute set", javascript(n, there.set, kept)),
        (more, "JavaScript: method call", javascript(n, there.sum, kept)),
        (more, "JavaScript: function call", javascript(n, there.apply, abs)),
        (more, "to_js of a record", python(m // 4, call1, to_js, record)),
        (more, "to_py of 50 records", python(k // 5, call, records.to_py)),
        (text, "1 KB string to JavaScript", python(m, call1, there.lengthOf, small)),
        (text, "1 KB string from JavaScript", python(m, read_small, there)),
        (text, "1 KB string there and back", python(m, call1, there.identity, small)),
        (text, "100 KB string to JavaScript", python(k, call1, there.lengthOf, large)),
        (text, "100 KB string from JavaScript", python(k, read_large, there)),
        (text, "100 KB string there and back", python(k, call1, there.identity, large)),
        (program, "json", once(program_json)),
        (program, "regular expressions", once(program_regex)),
        (program, "dicts and strings", once(program_dict_and_str)),
        (program, "float loop", once(program_float_loop)),
        (program, "classes", once(program_classes)),
    ]
    kept.destroy()
    assert here.x == 1
    return rows
