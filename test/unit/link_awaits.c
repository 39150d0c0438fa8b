/* link_awaits.c - src/link/awaits.c: what the bundler prints says where it waits. */
#include "link/awaits.h"

#include <string.h>

#include "base/mem.h"
#include "test.h"

static struct err err;

/* W( E( G( for the calls. */
static char *rewritten(const char *text)
{
    static const char *const NAMES[] = {"wait(", "each(", "give("};
    struct buf out = {0}, brief = {0};
    struct awaits awaits;

    if (awaits_rewrite(span_of(text), &out, &awaits, &err) == 1) {
        const char *at = buf_data(&out), *end = at + buf_len(&out);
        while (at < end) {
            size_t n = 1;
            char c = *at;
            for (int i = 0; i < 3; i++)
                if ((size_t)(end - at) >= 20 && memcmp(at, "__corral.async.", 15) == 0 &&
                    memcmp(at + 15, NAMES[i], 5) == 0) {
                    n = 19;
                    c = "WEG"[i];
                }
            CHECK(buf_append(&brief, &c, 1) == 0);
            at += n;
        }
    }
    awaits_done(&awaits);
    buf_done(&out);
    return buf_detach(&brief);
}

static void check(const char *from, const char *to)
{
    char *got = rewritten(from);

    if (strcmp(got, to) != 0)
        fprintf(stderr, "  of   %s\n  want %s\n  got  %s\n", from, to, got);
    CHECK(strcmp(got, to) == 0);
    mem_free(got);
}

/* Of an async function's inside. */
static void inside(const char *from, const char *to)
{
    struct buf one = {0}, other = {0};

    CHECK(buf_print(&one, "(async function (a) {\n  %s\n})", from) == 0);
    CHECK(buf_print(&other, "(async function (a) {\n  %s\n})", to) == 0);
    check(buf_data(&one), buf_data(&other));
    buf_done(&one);
    buf_done(&other);
}

static void finds_the_end_of_what_is_awaited(void)
{
    inside("await x;", "await W(x);");
    inside("a = await x.y?.[1]?.(2).#z(3)`4${5}6` + 1;",
           "a = await W(x.y?.[1]?.(2).#z(3)`4${5}6`) + 1;");
    inside("f(await a, await b ? await c : await d);",
           "f(await W(a), await W(b) ? await W(c) : await W(d));");
    inside("await -x + +y;", "await W(-x) + +y;");
    inside("await !await x in y;", "await W(!await W(x)) in y;");
    inside("await new (f(x))(y).z;", "await W(new (f(x))(y).z);");
    inside("await new.target;", "await W(new.target);");
    inside("await i++ + 1;", "await W(i++) + 1;");
    inside("(await x) ** 2;", "(await W(x)) ** 2;");
    inside("await (x, y)(z);", "await W((x, y)(z));");
    inside("await { a: await b }.a;", "await W({ a: await W(b) }.a);");
    inside("await [await a, ...await b];", "await W([await W(a), ...await W(b)]);");
    inside("await 5 .toString();", "await W(5 .toString());");
    inside("await 1e-5 - 2;", "await W(1e-5) - 2;");
    inside("await `a${await b}c${`d${e}`}`;", "await W(`a${await W(b)}c${`d${e}`}`);");
    inside("`${await b}`;", "`${await W(b)}`;");
    inside("await function() {\n  }();", "await W(function() {\n  }());");
    inside("await class extends class {\n  } {\n  }.x;",
           "await W(class extends class {\n  } {\n  }.x);");
    inside("await (() => {\n  })();", "await W((() => {\n  })());");
    inside("await /[/\"]a/g.x / await b;", "await W(/[/\"]a/g.x) / await W(b);");
    inside("await import(\"x\");", "await W(import(\"x\"));");
    inside("const { a = await b } = await c;", "const { a = await W(b) } = await W(c);");
    inside("if (await x)\n    /a\"/.test(await y);",
           "if (await W(x))\n    /a\"/.test(await W(y));");
    inside("if (a) /a\"/.test(await y);", "if (a) /a\"/.test(await W(y));");
    inside("x = (a) / await b / c;", "x = (a) / await W(b) / c;");
    inside("a = \"await x\" + 'await y'; // await z", "a = \"await x\" + 'await y'; // await z");
    inside("await x /* await y */;", "await W(x) /* await y */;");
}

static void leaves_what_is_only_called_so(void)
{
    inside("a.await + b.await();", "a.await + b.await();");
    inside("a = { await: 1, await() {\n  } };", "a = { await: 1, await() {\n  } };");
    inside("class A {\n  await = 5;\n  async await() {\n    await x;\n  }\n}",
           "class A {\n  await = 5;\n  async await() {\n    await W(x);\n  }\n}");
    inside("var await = 1;\n  await + 1;\n  await = 2;\n  await / 2;\n  await(1);",
           "var await = 1;\n  await + 1;\n  await = 2;\n  await / 2;\n  await(1);");
    inside("a = { yield: 1, return: 2, of: 3 };", "a = { yield: 1, return: 2, of: 3 };");
}

static void follows_loops(void)
{
    inside("for await (const x of y.z()) {\n  }", "for await (const x of E(y.z())) {\n  }");
    inside("for await (const { of = await a } of await y)\n    ;",
           "for await (const { of = await W(a) } of E(await W(y)))\n    ;");
    inside("for await (a.of of b)\n    ;", "for await (a.of of E(b))\n    ;");
    inside("for await (const of of of)\n    ;", "for await (const of of E(of))\n    ;");
    inside("for (const x of y)\n    ;", "for (const x of y)\n    ;");
}

static void follows_async_generators_alone(void)
{
    check("(async function* f() {\n  yield a ? b : c, d;\n  yield;\n  x = { a: yield b, c: 1 };\n"
          "  yield* g();\n  return 5;\n})",
          "(async function* f() {\n  yield W(a ? b : c), d;\n  yield;\n  x = { a: yield W(b), c: 1 "
          "};\n  yield* E(g());\n  return W(5);\n})");
    check("(function* f() {\n  yield a;\n  yield* b;\n  return c;\n})",
          "(function* f() {\n  yield a;\n  yield* b;\n  return c;\n})");
    check("({ async *a() {\n  yield 1;\n}, *b() {\n  yield 1;\n}, async c() {\n  return 1;\n}, d() "
          "{\n  return 1;\n} })",
          "({ async *a() {\n  yield W(1);\n}, *b() {\n  yield 1;\n}, async c() {\n  return "
          "G(1);\n}, d() {\n  return 1;\n} })");
    check(
        "(class {\n  static async *#a() {\n    yield 1;\n    function* b() {\n      yield 2;\n    "
        "}\n    if (c) {\n      yield 3;\n    }\n  }\n  async *[a]() {\n    yield 4;\n  }\n})",
        "(class {\n  static async *#a() {\n    yield W(1);\n    function* b() {\n      yield "
        "2;\n    }\n    if (c) {\n      yield W(3);\n    }\n  }\n  async *[a]() {\n    yield "
        "W(4);\n  }\n})");
    check("(async () => a, b)", "(async () => G(a), b)");
    check("(async (x) => ({ a }), (y) => b)", "(async (x) => G(({ a })), (y) => b)");
    check("(async () => {\n  return () => {\n    return 1;\n  };\n})",
          "(async () => {\n  return G(() => {\n    return 1;\n  });\n})");
    check("(async ? (x) => {\n  return 1;\n} : 2)", "(async ? (x) => {\n  return 1;\n} : 2)");
}

static void leaves_what_it_cannot_read(void)
{
    static const char *const ALL[] = {"(",        ")",
                                      "{]",       "await ",
                                      "`${",      "`",
                                      "(await )", "for await (x of )",
                                      "=> x",     "(async () => )",
                                      "\"",       "}"};

    for (size_t i = 0; i < sizeof ALL / sizeof *ALL; i++) {
        struct awaits awaits;
        struct buf out = {0};
        int r = awaits_rewrite(span_of(ALL[i]), &out, &awaits, &err);
        CHECK(r == 0 || awaits.count == 0);
        awaits_done(&awaits);
        buf_done(&out);
    }
}

static void moves_what_the_source_map_says(void)
{
    /* "a;await x;f()" with 0, 2, 8, 9, 10; then a line with one more. */
    const char *text = "a;await x;f();\nawait y;";
    struct awaits awaits;
    struct buf out = {0}, map = {0};

    CHECK(awaits_rewrite(span_of(text), &out, &awaits, &err) == 1);
    CHECK(awaits.count == 4);
    CHECK(awaits_shift(&awaits, SPAN("AAAA,EAAE,MAAM,CAAC,CAAC;MAAA;A,C"), &map, &err) == 0);
    CHECK(span_is(buf_span(&map), "AAAA,EAAE,0BAAM,EAAC,CAAC;0BAAA;A,C"));
    buf_eat(&map, buf_len(&map));
    CHECK(awaits_shift(&awaits, SPAN("AAAA,!"), &map, &err) == ERR_INVALID);
    awaits_done(&awaits);
    buf_done(&out);
    buf_done(&map);
}

static void copes_without_memory(void)
{
    const char *text = "(async function* () {\n  await f(await x);\n  yield `${a}`;\n})";

    for (long n = 0; n < 8; n++) {
        struct awaits awaits;
        struct buf out = {0};
        int r;
        mem_fail_after(n);
        r = awaits_rewrite(span_of(text), &out, &awaits, &err);
        mem_fail_after(-1);
        CHECK(r == 1 || r == ERR_NOMEM);
        awaits_done(&awaits);
        buf_done(&out);
    }
}

static const struct test TESTS[] = {
    {"finds_the_end_of_what_is_awaited", finds_the_end_of_what_is_awaited},
    {"leaves_what_is_only_called_so", leaves_what_is_only_called_so},
    {"follows_loops", follows_loops},
    {"follows_async_generators_alone", follows_async_generators_alone},
    {"leaves_what_it_cannot_read", leaves_what_it_cannot_read},
    {"moves_what_the_source_map_says", moves_what_the_source_map_says},
    {"copes_without_memory", copes_without_memory},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    return test_main("link_awaits", TESTS, argc, argv);
}
