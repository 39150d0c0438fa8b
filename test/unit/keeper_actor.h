/* keeper_actor.h - a keeper whose stores are this very program, playing a script.
 *
 * The keeper starts the program it is given with a folder: the folder's name
 * chooses the script.  So the real start, the real sockets and the real end of
 * a process are tested, with a store that says whatever the script wants. */
#ifndef CORRAL_TEST_KEEPER_ACTOR_H
#define CORRAL_TEST_KEEPER_ACTOR_H

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "actor.h"
#include "base/clock.h"
#include "base/mem.h"
#include "keeper/inside.h"
#include "test.h"

enum { LIMIT_MS = 30 * 1000, CALLS = 64 };

/* ---- the child's side ---- */

struct script {
    const char *name;
    void (*play)(const char *folder);
};

static inline void hello(void)
{
    SAY_MESSAGE(hello, 0, 0, .version = WIRE_VERSION, .role = ROLE_STORE);
}

static inline void reply(uint32_t stream, int flags, int64_t length)
{
    SAY_MESSAGE(reply, (uint8_t)flags, stream, .status = 200, .body_length = length);
}

static inline void say_pid(uint32_t stream)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%d", (int)getpid());

    reply(stream, 0, -1);
    say_frame(FRAME_BODY, FRAME_END, stream, text, (size_t)n);
}

/* Says its pid to each call that has no body, gives a body back to each that has, answers PINGs. */
static inline void play_echo(const char *folder)
{
    (void)folder;
    hello();
    for (;;) {
        struct frame f = hear();
        if (f.type == FRAME_PING)
            SAY(FRAME_PONG, 0, 0, "");
        else if (f.type == FRAME_OUTCALL && (f.flags & FRAME_END))
            say_pid(f.stream);
        else if (f.type == FRAME_OUTCALL)
            reply(f.stream, 0, -1);
        else if (f.type == FRAME_BODY) {
            SAY_MESSAGE(credit, 0, f.stream, .bytes = (uint32_t)f.payload.len);
            say_frame(FRAME_BODY, f.flags & FRAME_END, f.stream, f.payload.data, f.payload.len);
        }
    }
}

/* The main of a test program that may be a store: plays and ends, or returns. */
static inline void act(const struct script *scripts, size_t count, int argc, char **argv)
{
    const char *name;

    if (argc < 3 || strncmp(argv[2], "--sync=", 7) != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    side = 3;
    name = strrchr(argv[1], '/') + 1;
    for (size_t i = 0; i < count; i++)
        if (strncmp(name, scripts[i].name, strlen(scripts[i].name)) == 0) {
            scripts[i].play(argv[1]);
            _exit(0);
        }
    play_echo(argv[1]);
    _exit(0);
}

/* ---- the node's side ---- */

struct seen {
    struct store_call *call; /* NULL: over */
    unsigned heads, ends, fails, writable;
    size_t body;
    bool is_kept;   /* no credit is given */
    bool is_dropped; /* abort it in `head` */
    bool is_again;  /* in `failed`: call again */
    size_t to_send; /* of its body, by `writable` too */
    uint32_t status;
    char text[700];
};

static uv_loop_t loop;
static uv_timer_t limit;
static struct keeper *keeper;
static struct seen seen[CALLS];
static unsigned overs; /* calls that had their last word */
static char log_text[8192];
static char root[64], program[512];
static bool is_late, is_closed;
static struct keeper_config config;

static inline void push(struct seen *s)
{
    static const char ZEROES[FRAME_BODY_MAX];

    while (s->call && s->to_send > 0) {
        size_t n = store_call_window(s->call);
        n = n < s->to_send ? n : s->to_send;
        n = n < sizeof ZEROES ? n : sizeof ZEROES;
        if (n == 0)
            return;
        s->to_send -= n;
        store_call_body(s->call, (struct span){ZEROES, n}, s->to_send == 0);
    }
}

static inline void over(struct seen *s)
{
    s->ends++;
    s->call = NULL;
    overs++;
    uv_stop(&loop); /* somebody counts them, and must not sleep first */
}

static inline void on_head(void *self, const struct reply *head, bool is_end)
{
    struct seen *s = self;

    s->heads++;
    s->status = head->status;
    if (s->is_dropped) {
        store_call_abort(s->call);
        over(s);
    } else if (is_end)
        over(s);
}

static inline void on_body(void *self, struct span bytes, bool is_end)
{
    struct seen *s = self;

    s->body += bytes.len;
    if (bytes.len < sizeof s->text - 1)
        snprintf(s->text, sizeof s->text, "%.*s", SPAN_ARG(bytes));
    if (!s->is_kept)
        store_call_credit(s->call, bytes.len);
    if (is_end)
        over(s);
}

static inline void on_writable(void *self)
{
    struct seen *s = self;

    s->writable++;
    push(s);
}

static inline int ask(unsigned i, const char *name, size_t body, struct err *err);

static char again_name[64];

static inline void on_failed(void *self, struct span text)
{
    struct seen *s = self;
    struct err err = {0};

    s->fails++;
    over(s);
    snprintf(s->text, sizeof s->text, "%.*s", SPAN_ARG(text));
    if (s->is_again)
        (void)ask((unsigned)(s - seen) + 1, again_name, 0, &err);
}

static const struct store_call_events CALL = {on_head, on_body, on_writable, on_failed};

/* Call number i, on the database `name`, with a body of so many bytes. */
static inline int ask(unsigned i, const char *name, size_t body, struct err *err)
{
    struct outcall_head head = {.method = SPAN("query"), .body_length = body ? -1 : 0};
    char folder[256];
    int r;

    snprintf(folder, sizeof folder, "%s/d1/%s", root, name);
    seen[i].to_send = body;
    r = keeper_call(keeper, folder, &head, body == 0, &CALL, &seen[i], &seen[i].call, err);
    if (r == 0)
        push(&seen[i]);
    return r;
}

static inline void on_log(void *self, enum log_level level, struct span text)
{
    size_t len = strlen(log_text);

    (void)self, (void)level;
    snprintf(log_text + len, sizeof log_text - len, "%.*s\n", SPAN_ARG(text));
}

static inline void on_limit(uv_timer_t *timer)
{
    (void)timer;
    is_late = true;
}

/* Turn the loop until so many calls are over. */
static inline void run_until(const unsigned *count, unsigned n)
{
    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (*count < n && !is_late)
        uv_run(&loop, UV_RUN_ONCE);
    uv_timer_stop(&limit);
    CHECK(!is_late);
}

static inline void run_for(int ms)
{
    is_late = false;
    uv_timer_start(&limit, on_limit, (uint64_t)ms, 0);
    while (!is_late)
        uv_run(&loop, UV_RUN_ONCE);
}

static inline void begin(void)
{
    struct err err = {0};
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

    program[n > 0 ? n : 0] = '\0';
    memset(seen, 0, sizeof seen);
    overs = 0;
    log_text[0] = '\0';
    is_closed = false;
    snprintf(root, sizeof root, "/tmp/corral-keeper-XXXXXX");
    CHECK(mkdtemp(root) != NULL);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &limit);
    if (!config.store_program)
        config.store_program = program;
    config.log = on_log;
    CHECK(keeper_open(&loop, &config, &keeper, &err) == 0);
}

static inline void on_keeper_closed(void *self)
{
    (void)self;
    is_closed = true;
}

static inline void remove_tree(const char *path)
{
    char inner[1024];
    DIR *folder = opendir(path);

    for (struct dirent *e = folder ? readdir(folder) : NULL; e; e = readdir(folder)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) >= (int)sizeof inner)
            continue;
        if (unlink(inner) < 0)
            remove_tree(inner);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

static inline void finish(void)
{
    if (keeper)
        keeper_close(keeper, on_keeper_closed, NULL);
    keeper = NULL;
    uv_close((uv_handle_t *)&limit, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(is_closed && uv_loop_close(&loop) == 0);
    remove_tree(root);
    config = (struct keeper_config){0};
}

static inline struct store *store_named(const char *name)
{
    RING_EACH(at, &keeper->stores) {
        struct store *store = RING_OF(at, struct store, ring);
        if (strcmp(store->name, name) == 0)
            return store;
    }
    return NULL;
}

static inline bool run_until_state(const char *name, enum store_state state)
{
    struct store *store = store_named(name);

    is_late = false;
    uv_timer_start(&limit, on_limit, LIMIT_MS, 0);
    while (store && store->state != state && !is_late) {
        uv_run(&loop, UV_RUN_NOWAIT); /* ONCE would sleep in a state, and not show it */
        store = store_named(name);
    }
    uv_timer_stop(&limit);
    CHECK(!is_late);
    return store && store->state == state;
}

static inline pid_t pid_of(const char *name)
{
    struct store *store = store_named(name);

    return store ? kin_pid(&store->kin) : 0;
}

#endif
