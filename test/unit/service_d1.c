/* service_d1.c - src/service/d1.c and outlets.c: what an instance asks of a database, passed on unread.
 *
 * A child plays the instance.  The store is this program again, started by the
 * real keeper (the folder's name chooses what it plays), or corral-store. */
#include "herd_actor.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "row/row.h"
#include "service/service.h"

#define ASKED (FRAME_OUTCALL_BIT | 1)

static struct service *service;
static struct keeper *keeper;
static struct outlets outlets;
static char root[64], program[PATH_MAX];

/* ---- stores ---- */

static void say_hello(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_STORE);
}

/* "method name=value name=value", for each call. */
static void play_arguments(void)
{
    say_hello();
    for (;;) {
        struct outcall_head head;
        struct frame f = hear();
        struct buf text = {0};
        struct span name, value;
        struct err err;
        size_t at = 0;
        if (f.type != FRAME_OUTCALL)
            continue;
        if (outcall_head_get(&f, &head, &err) < 0 || head.binding.len + head.headers.count > 0 ||
            buf_print(&text, "%.*s", SPAN_ARG(head.method)) < 0)
            _exit(91);
        while (pairs_next(&head.arguments, &at, &name, &value))
            if (buf_print(&text, " %.*s=%.*s", SPAN_ARG(name), SPAN_ARG(value)) < 0)
                _exit(91);
        SAY_MESSAGE(reply, 0, f.stream, .status = 200, .body_length = (int64_t)buf_len(&text));
        say_frame(FRAME_BODY, FRAME_END, f.stream, buf_data(&text), buf_len(&text));
        buf_done(&text);
    }
}

struct echo {
    struct buf kept;
    size_t window;
    bool has_end;
};

/* As much as may be sent, and credit for it. */
static void echo_some(struct echo *e, uint32_t stream)
{
    while (buf_len(&e->kept) > 0 && e->window > 0) {
        size_t n = buf_len(&e->kept) < e->window ? buf_len(&e->kept) : e->window;
        n = n < FRAME_BODY_MAX ? n : FRAME_BODY_MAX;
        say_frame(FRAME_BODY, 0, stream, buf_data(&e->kept), n);
        SAY_MESSAGE(credit, 0, stream, .bytes = (uint32_t)n);
        buf_eat(&e->kept, n);
        e->window -= n;
    }
    if (e->has_end && buf_len(&e->kept) == 0)
        SAY(FRAME_BODY, FRAME_END, stream, "");
}

/* Gives back what it gets, of one call at a time; makes a folder when a call is reset. */
static void play_echo(const char *folder)
{
    struct echo e = {0};
    struct credit credit;
    char path[PATH_MAX];
    struct err err;

    say_hello();
    for (;;) {
        struct frame f = hear();
        if (f.type == FRAME_PING)
            SAY(FRAME_PONG, 0, 0, "");
        else if (f.type == FRAME_OUTCALL) {
            buf_done(&e.kept);
            e = (struct echo){.window = FRAME_WINDOW};
            SAY_MESSAGE(reply, 0, f.stream, .status = 200, .body_length = -1);
        } else if (f.type == FRAME_BODY) {
            e.has_end = f.flags & FRAME_END;
            if (buf_append(&e.kept, f.payload.data, f.payload.len) < 0)
                _exit(91);
            echo_some(&e, f.stream);
        } else if (f.type == FRAME_CREDIT && credit_get(&f, &credit, &err) == 0) {
            e.window += credit.bytes;
            echo_some(&e, f.stream);
        } else if (f.type == FRAME_RESET) {
            snprintf(path, sizeof path, "%s/reset", folder);
            if (mkdir(path, 0700) < 0)
                _exit(91);
        }
    }
}

/* Answers before the call's body has ended, and wants none of it. */
static void play_early(void)
{
    say_hello();
    for (;;) {
        struct frame f = hear();
        if (f.type != FRAME_OUTCALL)
            continue;
        SAY_MESSAGE(reply, 0, f.stream, .status = 200, .body_length = -1);
        SAY(FRAME_BODY, FRAME_END, f.stream, "early");
    }
}

enum { POURS = 24, POUR = FRAME_WINDOW };

/* To each call as much as may come without credit; makes a folder when all of it has left. */
static void play_pour(const char *folder)
{
    static const char PIECE[FRAME_BODY_MAX];
    char path[PATH_MAX];

    say_hello();
    for (int calls = 0; calls < POURS;) {
        struct frame f = hear();
        if (f.type == FRAME_PING)
            SAY(FRAME_PONG, 0, 0, "");
        if (f.type != FRAME_OUTCALL)
            continue;
        calls++;
        SAY_MESSAGE(reply, 0, f.stream, .status = 200, .body_length = POUR);
        for (size_t n = 0; n < POUR; n += sizeof PIECE)
            say_frame(FRAME_BODY, n + sizeof PIECE == POUR ? FRAME_END : 0, f.stream, PIECE,
                      sizeof PIECE);
    }
    snprintf(path, sizeof path, "%s/poured", folder);
    if (mkdir(path, 0700) < 0)
        _exit(91);
    linger_there();
}

/* Ends in the middle of its first answer, the next time before any. */
static void play_die(const char *folder)
{
    char path[PATH_MAX];

    say_hello();
    snprintf(path, sizeof path, "%s/died", folder);
    for (;;) {
        struct frame f = hear();
        if (f.type != FRAME_OUTCALL)
            continue;
        if (mkdir(path, 0700) == 0) {
            SAY_MESSAGE(reply, 0, f.stream, .status = 200, .body_length = -1);
            SAY(FRAME_BODY, 0, f.stream, "half");
        }
        kill(getpid(), SIGKILL);
    }
}

static void play(const char *folder)
{
    const char *name = strrchr(folder, '/') + 1;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    side = 3;
    if (strcmp(name, "arguments") == 0)
        play_arguments();
    if (strcmp(name, "early") == 0)
        play_early();
    if (strcmp(name, "pour") == 0)
        play_pour(folder);
    if (strcmp(name, "die") == 0)
        play_die(folder);
    play_echo(folder);
}

/* ---- instances ---- */

static void ask_with(uint32_t number, const char *binding, const char *method, int64_t length,
                     const char *name, const char *value)
{
    struct outcall_head head = {.request = 0, .binding = span_of(binding),
                                .method = span_of(method), .body_length = length};
    struct buf arguments = {0}, out = {0};
    struct err err;

    if (name && pairs_add(&arguments, span_of(name), span_of(value)) < 0)
        _exit(94);
    head.arguments = (struct pairs){buf_span(&arguments), name != NULL};
    if (outcall_head_put(&out, length == 0 ? FRAME_END : 0, FRAME_OUTCALL_BIT | number, &head,
                         &err) < 0)
        _exit(94);
    say(buf_data(&out), buf_len(&out));
    buf_done(&out);
    buf_done(&arguments);
}

static void expect_text(uint32_t number, const char *text)
{
    struct frame f = hear();

    if (f.type != FRAME_REPLY || f.stream != (FRAME_OUTCALL_BIT | number))
        _exit(95);
    f = hear();
    if (f.type != FRAME_BODY || !span_is(f.payload, text)) {
        fprintf(stderr, "  heard: %.*s\n", SPAN_ARG(f.payload));
        _exit(96);
    }
    if (!(f.flags & FRAME_END))
        expect(FRAME_BODY, FRAME_OUTCALL_BIT | number);
}

static void expect_refusal(uint32_t number, const char *text)
{
    struct frame f = hear();
    struct reset reset;
    struct err err;

    if (f.type != FRAME_RESET || f.stream != (FRAME_OUTCALL_BIT | number) ||
        reset_get(&f, &reset, &err) < 0 || !span_is(reset.text, text)) {
        fprintf(stderr, "  heard %s: %.*s\n", frame_name(f.type), SPAN_ARG(f.payload));
        _exit(97);
    }
}

static void tells_its_order(void)
{
    hello();
    ask_with(1, "ARGUMENTS", "query", 0, "bookmark", "b");
    expect_text(1, "query order=1-0 bookmark=b");
    /* Into the order of others nobody gets. */
    ask_with(2, "ARGUMENTS", "dump", 0, "order", "7-7");
    expect_text(2, "dump order=1-0");
    ask_with(3, "ARGUMENTS", "exec", 2, NULL, NULL);
    SAY(FRAME_BODY, FRAME_END, FRAME_OUTCALL_BIT | 3, "x;");
    expect_text(3, "exec order=1-0");
    _exit(0);
}

static void asks_for_what_is_not_there(void)
{
    hello();
    ask_with(1, "echo", "query", 0, NULL, NULL);
    expect_refusal(1, "There is no binding 'echo' with a method 'query'.");
    ask_with(2, "../d1/echo", "query", 0, NULL, NULL);
    expect_refusal(2, "There is no binding '../d1/echo' with a method 'query'.");
    ask_with(3, "", "query", 0, NULL, NULL);
    expect_refusal(3, "There is no binding '' with a method 'query'.");
    ask_with(4, "ECHO", "script", 0, NULL, NULL);
    expect_refusal(4, "The D1 database 'ECHO' has no method 'script'.");
    ask_with(5, "ECHO", "info", -1, NULL, NULL);
    expect_refusal(5, "The D1 database 'ECHO' has no method 'info'.");
    ask_with(6, "ECHO", "", 0, NULL, NULL);
    expect_refusal(6, "The D1 database 'ECHO' has no method ''.");
    _exit(0);
}

/* Sends much as fast as its credit allows, and reads as slowly as it may. */
static void asks_much(void)
{
    enum { TOTAL = 3 * 1024 * 1024 };
    static const char PIECE[FRAME_BODY_MAX];
    size_t sent = 0, got = 0, window = FRAME_WINDOW, unread = 0;
    bool is_over = false;

    hello();
    ask_with(1, "ECHO", "exec", TOTAL, NULL, NULL);
    while (!is_over) {
        struct frame f;
        while (sent < TOTAL && window >= sizeof PIECE) {
            sent += sizeof PIECE;
            window -= sizeof PIECE;
            say_frame(FRAME_BODY, sent == TOTAL ? FRAME_END : 0, ASKED, PIECE, sizeof PIECE);
        }
        f = hear();
        if (f.type == FRAME_CREDIT) {
            struct credit credit;
            struct err err;
            if (credit_get(&f, &credit, &err) < 0)
                _exit(98);
            window += credit.bytes;
        } else if (f.type == FRAME_BODY) {
            got += f.payload.len;
            unread += f.payload.len;
            is_over = f.flags & FRAME_END;
        } else if (f.type != FRAME_REPLY)
            _exit(99);
        if (unread > FRAME_WINDOW)
            _exit(100);
        /* All of the window is used before anything is given back. */
        if (unread == FRAME_WINDOW && !is_over) {
            SAY_MESSAGE(credit, 0, ASKED, .bytes = (uint32_t)unread);
            unread = 0;
        }
    }
    _exit(got == TOTAL && sent == TOTAL ? 0 : 101);
}

static void cancels(void)
{
    hello();
    ask_with(1, "ECHO", "query", -1, NULL, NULL);
    expect(FRAME_REPLY, ASKED);
    SAY_MESSAGE(reset, 0, ASKED, .reason = RESET_CANCELLED);
    ask_with(2, "ECHO", "query", 3, NULL, NULL);
    SAY(FRAME_BODY, FRAME_END, FRAME_OUTCALL_BIT | 2, "yes");
    expect_text(2, "yes");
    _exit(0);
}

static void dies(void)
{
    hello();
    ask_with(1, "ECHO", "query", -1, NULL, NULL);
    expect(FRAME_REPLY, ASKED);
    _exit(0);
}

static void is_answered_early(void)
{
    static const char PIECE[1000];

    hello();
    ask_with(1, "EARLY", "exec", 100 * 1000, NULL, NULL);
    for (int i = 0; i < 100; i++)
        say_frame(FRAME_BODY, i == 99 ? FRAME_END : 0, ASKED, PIECE, sizeof PIECE);
    expect_text(1, "early");
    ask_with(2, "EARLY", "exec", 0, NULL, NULL);
    expect_text(2, "early");
    _exit(0);
}

static bool is_there(const char *path);

/* Reads nothing until all of it has come to the node. */
static void reads_late(void)
{
    size_t got[POURS + 1] = {0};
    int ends = 0;

    hello();
    for (uint32_t i = 1; i <= POURS; i++)
        ask_with(i, "POUR", "dump", 0, NULL, NULL);
    for (int i = 0; i < LIMIT_MS && !is_there("d1/pour/poured"); i++)
        usleep(1000);
    while (ends < POURS) {
        struct frame f = hear();
        uint32_t number = f.stream & ~FRAME_OUTCALL_BIT;
        if (f.type == FRAME_BODY && number <= POURS)
            got[number] += f.payload.len;
        else if (f.type != FRAME_REPLY || (f.flags & FRAME_END))
            _exit(98);
        ends += f.flags & FRAME_END;
    }
    for (uint32_t i = 1; i <= POURS; i++)
        if (got[i] != POUR)
            _exit(99);
    _exit(0);
}

static void asks_one_that_dies(void)
{
    static const char TEXT[] = "Internal error in D1 DB storage caused object to be reset. The "
                               "database's process ended unexpectedly while this query ran; it may "
                               "or may not have been committed.";

    hello();
    ask_with(1, "DIE", "query", 0, NULL, NULL);
    expect(FRAME_REPLY, ASKED);
    expect(FRAME_BODY, ASKED);
    expect_refusal(1, TEXT);
    ask_with(2, "DIE", "query", -1, NULL, NULL);
    expect_refusal(2, TEXT);
    _exit(0);
}

/* Each call is answered or refused, whatever becomes of the node's memory. */
static void asks_again_and_again(void)
{
    int answers = 0;

    hello();
    for (uint32_t i = 1; i <= 80; i++) {
        struct frame f;
        ask_with(i, "ARGUMENTS", "query", 0, "bookmark", "b");
        do {
            f = hear();
            if (f.stream != (FRAME_OUTCALL_BIT | i))
                _exit(98);
        } while (f.type != FRAME_RESET && !(f.flags & FRAME_END));
        answers += f.type == FRAME_BODY;
    }
    _exit(answers >= 10 && answers < 80 ? 0 : 99);
}

/* ---- corral-store ---- */

static void send_sql(uint32_t number, const char *const *sql, uint32_t count)
{
    struct buf body = {0};

    if (row_put_u32(&body, count) < 0)
        _exit(91);
    for (uint32_t i = 0; i < count; i++)
        if (row_put_statement(&body, span_of(sql[i]), 0) < 0)
            _exit(91);
    ask_with(number, "REAL", "query", (int64_t)buf_len(&body), NULL, NULL);
    say_frame(FRAME_BODY, FRAME_END, FRAME_OUTCALL_BIT | number, buf_data(&body), buf_len(&body));
    buf_done(&body);
}

/* What records come: letters, one for each; the last integer of rows; an error's text. */
static void take_records(uint32_t number, char *letters, int64_t *value, char *text, size_t max)
{
    static const char LETTERS[] = "?CRDEX";
    struct buf all = {0};
    struct frame f = hear();
    enum row_record type;
    struct span bytes;
    size_t used;

    if (f.type != FRAME_REPLY || f.stream != (FRAME_OUTCALL_BIT | number))
        _exit(95);
    do {
        f = hear();
        if (f.type != FRAME_BODY || buf_append(&all, f.payload.data, f.payload.len) < 0)
            _exit(96);
    } while (!(f.flags & FRAME_END));
    while (row_next(buf_span(&all), &type, &bytes, &used) == 1) {
        struct row_value v = {0};
        struct row_error error;
        uint32_t count = 0;
        *letters++ = LETTERS[type <= ROW_RECORD_ERROR ? type : 0];
        if (type == ROW_RECORD_ROWS && row_get_u32(&bytes, &count) == 0)
            while (bytes.len > 0 && row_get_value(&bytes, &v) == 0)
                *value = v.integer;
        if (type == ROW_RECORD_ERROR && row_get_error(bytes, &error) == 0)
            snprintf(text, max, "%.*s", SPAN_ARG(error.text));
        buf_eat(&all, used);
    }
    *letters = '\0';
    buf_done(&all);
}

static void asks_sql(void)
{
    static const char *const MAKE[] = {"CREATE TABLE t (a)", "INSERT INTO t VALUES (41), (42)",
                                       "SELECT a FROM t ORDER BY a"};
    static const char *const WRONG[] = {"INSERT INTO t VALUES (43)", "SELECT * FROM nowhere"};
    static const char *const COUNT[] = {"SELECT count(*) FROM t"};
    char letters[64], text[300] = "";
    int64_t value = 0;

    hello();
    send_sql(1, MAKE, 3);
    take_records(1, letters, &value, text, sizeof text);
    if (strcmp(letters, "CDCDCRDE") != 0 || value != 42)
        _exit(101);
    /* One transaction: nothing of it stays. */
    send_sql(2, WRONG, 2);
    send_sql(3, COUNT, 1);
    take_records(2, letters, &value, text, sizeof text);
    if (strcmp(text, "no such table: nowhere: SQLITE_ERROR") != 0)
        _exit(102);
    take_records(3, letters, &value, text, sizeof text);
    if (strcmp(letters, "CRDE") != 0 || value != 2)
        _exit(103);
    /* What is no call is an error, and the database goes on. */
    ask_with(4, "REAL", "query", 4, NULL, NULL);
    SAY(FRAME_BODY, FRAME_END, FRAME_OUTCALL_BIT | 4, "\xff\xff\xff\xff");
    for (struct frame f = hear(); f.type != FRAME_RESET && !(f.flags & FRAME_END); f = hear())
        ;
    send_sql(5, COUNT, 1);
    take_records(5, letters, &value, text, sizeof text);
    _exit(value == 2 ? 0 : 104);
}

/* ---- the node ---- */

static void serve(struct outcall *outcall, const struct outcall_head *head, bool is_end)
{
    service_outcall(service, &outlets, outcall, head, is_end);
}

static void on_closed(void *self) { *(bool *)self = true; }

static void on_store_log(void *self, enum log_level level, struct span text)
{
    (void)self, (void)level;
    printf("  %.*s\n", SPAN_ARG(text));
}

static void remove_all(const char *path)
{
    char inner[PATH_MAX];
    DIR *folder = opendir(path);

    for (struct dirent *e = folder ? readdir(folder) : NULL; e; e = readdir(folder)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) >= (int)sizeof inner)
            continue;
        if (unlink(inner) < 0)
            remove_all(inner);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static bool is_there(const char *path)
{
    char whole[PATH_MAX];
    struct stat st;

    snprintf(whole, sizeof whole, "%s/%s", root, path);
    return stat(whole, &st) == 0;
}

static const char *awaited;

static void on_look(uv_timer_t *timer) { *(bool *)timer->data = is_there(awaited); }

/* Turn the loop until it is there. */
static bool comes(const char *path)
{
    uv_timer_t look;
    bool is_seen = false;

    awaited = path;
    uv_timer_init(&loop, &look);
    look.data = &is_seen;
    uv_timer_start(&look, on_look, 1, 1);
    run_until(&is_seen);
    uv_close((uv_handle_t *)&look, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return is_there(path);
}

/* Before the instance is forked: some look for a file in it. */
static void make_root(void)
{
    snprintf(root, sizeof root, "/tmp/corral-d1-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
}

static void open_node(const char *store_program)
{
    const char *const names[] = {"arguments", "echo", "early", "real", "pour", "die"};
    const char *const bindings[] = {"ARGUMENTS", "ECHO", "EARLY", "REAL", "POUR", "DIE"};
    const struct keeper_config keeping = {.store_program = store_program, .log = on_store_log};
    struct service_config config = {0};
    struct err err = {0};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CHECK(outlets_add_d1(&outlets, bindings[i], root, names[i],
                             "01234567-89ab-4cde-8f01-23456789abcd", &err) == 0);
    CHECK(keeper_open(&loop, &keeping, &keeper, &err) == 0);
    config.keeper = keeper;
    CHECK(service_open(&loop, &config, &service, &err) == 0);
    outcalls.serve = serve;
}

static int close_node(void)
{
    bool is_service_closed = false, is_keeper_closed = false;

    service_close(service, on_closed, &is_service_closed);
    run_until(&is_service_closed);
    keeper_close(keeper, on_closed, &is_keeper_closed);
    run_until(&is_keeper_closed);
    remove_all(root);
    outlets_done(&outlets);
    return stop();
}

static void serve_with_little_memory(struct outcall *outcall, const struct outcall_head *head,
                                     bool is_end)
{
    static long calls;

    mem_fail_after(calls++);
    serve(outcall, head, is_end);
    mem_fail_after(-1);
}

/* The exit status of an instance that plays this. */
static int run(void (*script)(void), const char *store_program)
{
    make_root();
    start(script);
    open_node(store_program);
    run_until(&seen.has_ended);
    return close_node();
}

static void the_order_is_made_here(void)
{
    CHECK(run(tells_its_order, program) == 0);
}

static void nobody_reaches_what_is_not_in_the_list(void)
{
    CHECK(run(asks_for_what_is_not_there, program) == 0);
}

static void much_passes_both_ways_by_credit(void)
{
    CHECK(run(asks_much, program) == 0);
}

static void a_call_that_is_cancelled_is_reset(void)
{
    make_root();
    start(cancels);
    open_node(program);
    run_until(&seen.has_ended);
    CHECK(is_there("d1/echo/reset"));
    CHECK(close_node() == 0);
}

static void so_are_those_of_an_instance_that_dies(void)
{
    make_root();
    start(dies);
    open_node(program);
    run_until(&seen.has_ended);
    CHECK(comes("d1/echo/reset"));
    CHECK(close_node() == 0);
}

static void an_answer_may_come_before_the_call_has_ended(void)
{
    CHECK(run(is_answered_early, program) == 0);
}

static void who_reads_late_gets_all_of_it(void)
{
    CHECK(run(reads_late, program) == 0);
}

static void a_store_that_dies_is_an_error_of_the_call(void)
{
    CHECK(run(asks_one_that_dies, program) == 0);
}

static void calls_are_answered_or_refused_without_memory(void)
{
    make_root();
    start(asks_again_and_again);
    open_node(program);
    outcalls.serve = serve_with_little_memory;
    run_until(&seen.has_ended);
    CHECK(close_node() == 0);
}

static void sql_is_answered_by_corral_store(void)
{
    char store[PATH_MAX + 32], self[PATH_MAX];

    snprintf(self, sizeof self, "%s", program);
    snprintf(store, sizeof store, "%s/../corral-store", dirname(self));
    CHECK(run(asks_sql, store) == 0);
}

static void a_database_is_made_with_its_uuid(void)
{
    char path[128], text[300] = "";
    ssize_t n;
    int fd;

    make_root();
    start(dies);
    open_node(program);
    run_until(&seen.has_ended);
    snprintf(path, sizeof path, "%s/d1/echo/about.json", root);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    CHECK(strstr(text, "01234567-89ab-4cde-8f01-23456789abcd") && strstr(text, "\"echo\""));
    CHECK(!is_there("d1/early"));
    close_node();
}

static void outlets_are_what_the_configuration_says(void)
{
    struct outlets a = {0}, b = {0};
    struct err err = {0};
    char *json;

    CHECK(outlets_is_same(&a, &b) && outlets_find(&a, SPAN("DB")) == NULL);
    CHECK(outlets_add_d1(&a, "DB", "/data", "my books/..", "no uuid", &err) == 0);
    CHECK(strcmp(a.items[0].folder, "/data/d1/my%20books%2F%2E%2E") == 0 && !a.items[0].uuid[0]);
    CHECK(outlets_add_d1(&a, "X", "/data", "", "", &err) == ERR_INVALID && a.count == 1);
    CHECK(outlets_find(&a, SPAN("DB")) == &a.items[0] && outlets_find(&a, SPAN("D")) == NULL);
    CHECK(!outlets_is_same(&a, &b));
    CHECK(outlets_add_d1(&b, "DB", "/other", "my books/..", "", &err) == 0);
    CHECK(!outlets_is_same(&a, &b));
    CHECK(outlets_add_d1(&a, "E", "/data", "e", "", &err) == 0);
    json = outlets_json(&a);
    CHECK(json && strcmp(json, "{\"DB\":{\"type\":\"d1\"},\"E\":{\"type\":\"d1\"}}") == 0);
    mem_free(json);
    outlets_done(&a);
    outlets_done(&b);
    json = outlets_json(&a);
    CHECK(json && strcmp(json, "{}") == 0);
    mem_free(json);
    for (long n = 0; n < 8; n++) {
        mem_fail_after(n);
        (void)(outlets_add_d1(&a, "DB", "/data", "a", "", &err) == 0);
        mem_fail_after(-1);
    }
    outlets_done(&a);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"the_order_is_made_here", the_order_is_made_here},
        {"nobody_reaches_what_is_not_in_the_list", nobody_reaches_what_is_not_in_the_list},
        {"much_passes_both_ways_by_credit", much_passes_both_ways_by_credit},
        {"a_call_that_is_cancelled_is_reset", a_call_that_is_cancelled_is_reset},
        {"so_are_those_of_an_instance_that_dies", so_are_those_of_an_instance_that_dies},
        {"an_answer_may_come_before_the_call_has_ended",
         an_answer_may_come_before_the_call_has_ended},
        {"who_reads_late_gets_all_of_it", who_reads_late_gets_all_of_it},
        {"a_store_that_dies_is_an_error_of_the_call", a_store_that_dies_is_an_error_of_the_call},
        {"calls_are_answered_or_refused_without_memory",
         calls_are_answered_or_refused_without_memory},
        {"sql_is_answered_by_corral_store", sql_is_answered_by_corral_store},
        {"a_database_is_made_with_its_uuid", a_database_is_made_with_its_uuid},
        {"outlets_are_what_the_configuration_says", outlets_are_what_the_configuration_says},
        {NULL, NULL},
    };
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

    program[n > 0 ? n : 0] = '\0';
    if (argc > 2 && strncmp(argv[2], "--sync=", 7) == 0)
        play(argv[1]);
    return test_main("service_d1", TESTS, argc, argv);
}
