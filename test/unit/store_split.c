/* store_split.c - where the statements of a script end. */
#include "store_database.h"

/* The statements, each in brackets; what is left over behind a '|'. */
static const char *pieces(const char *script)
{
    static char text[1024];
    struct span rest = span_of(script);
    size_t len, n = 0;
    bool is_empty;

    while (split_next(rest, &len, &is_empty) == 1) {
        n += (size_t)snprintf(text + n, sizeof text - n, is_empty ? "(%.*s)" : "[%.*s]", (int)len,
                              rest.data);
        rest.data += len;
        rest.len -= len;
    }
    snprintf(text + n, sizeof text - n, is_empty ? "|" : "|%.*s", (int)rest.len, rest.data);
    return text;
}

static void ends_at_semicolons(void)
{
    IS(pieces(""), "|");
    IS(pieces("select 1"), "|select 1");
    IS(pieces("select 1; select 2;\n"), "[select 1;][ select 2;]|");
    IS(pieces(";;"), "(;)(;)|");
    IS(pieces("-- a; b\nselect 1; /* ; */ -- the end"), "[-- a; b\nselect 1;]|");
    IS(pieces("/* ; */ ; x"), "(/* ; */ ;)| x");
    IS(pieces("select 1 -- a\r\n; select - 1 / 2;"), "[select 1 -- a\r\n;][ select - 1 / 2;]|");
}

static void knows_quotes(void)
{
    IS(pieces("select 'a;b', \"c;d\", `e;f`, [g;h]; select 'it''s;';"),
       "[select 'a;b', \"c;d\", `e;f`, [g;h];][ select 'it''s;';]|");
    IS(pieces("select 'open; select 1;"), "|select 'open; select 1;");
    IS(pieces("select 1; /* open; select 2;"), "[select 1;]|");
    IS(pieces("select '--'; select '/*'; select 1;"), "[select '--';][ select '/*';][ select 1;]|");
}

static void knows_triggers(void)
{
    IS(pieces("CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; "
              "DELETE FROM d; END; select 1;"),
       "[CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET c = CASE WHEN 1 THEN 2 END; "
       "DELETE FROM d; END;][ select 1;]|");
    IS(pieces("create temp /* x */ trigger t begin select 1; end\n;x;"),
       "[create temp /* x */ trigger t begin select 1; end\n;][x;]|");
    IS(pieces("explain query plan create trigger t begin select 1; end; x"),
       "[explain query plan create trigger t begin select 1; end;]| x");
    IS(pieces("create trigger t begin select 1; select 'end;'; endx; end y; end; z;"),
       "[create trigger t begin select 1; select 'end;'; endx; end y; end;][ z;]|");
    IS(pieces("create table trigger_x(a); create view trigger as select 1; end;"),
       "[create table trigger_x(a);][ create view trigger as select 1;][ end;]|");
    IS(pieces("create trigger t begin select 1; en"), "|create trigger t begin select 1; en");
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {
        {"ends_at_semicolons", ends_at_semicolons},
        {"knows_quotes", knows_quotes},
        {"knows_triggers", knows_triggers},
        {NULL, NULL},
    };

    return test_main("store_split", tests, argc, argv);
}
