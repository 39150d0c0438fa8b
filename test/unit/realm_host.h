/* realm_host.h - a host that records, and workers in processes of their own, for tests of the realm.
 *
 * One process can have one realm and load one worker, so a test's worker lives
 * in a grandchild: the test program is the zygote, each test forks a template
 * that loads the source, and that forks an instance which runs the checks. */
#ifndef CORRAL_TEST_REALM_HOST_H
#define CORRAL_TEST_REALM_HOST_H

#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "realm/realm.h"
#include "test.h"

/* The engines keep memory to the end, and allocate in ways the leak checker cannot follow. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0:allow_user_segv_handler=1:detect_stack_use_after_return=0";
}

enum { ANSWERS_MAX = 64, ASKED_MAX = 320, DEADLINE_SECONDS = 60, PATIENCE_MS = 40 * 1000 };

struct answer {
    uint32_t stream, status;
    char status_text[64], headers[2048];
    int64_t length;
    struct buf body;
    uint64_t body_bytes;            /* also when they are not kept */
    bool is_ended, is_failed, is_unwanted, is_done;
    enum host_failure failure;
    char failure_text[4096];
    uint64_t credit;                /* given back for the request's body */
    uint32_t window;                /* what the realm may still send */
    int calls_after_done;
};

/* A call out of the worker. */
struct asked {
    uint32_t stream, request;
    char method[64], arguments[512], headers[1024];
    int64_t body_length;
    struct buf body;
    uint64_t credit;                /* given back for the reply's body */
    uint32_t window;                /* what the realm may still send */
    bool is_ended, is_cancelled;
};

static struct {
    struct answer answers[ANSWERS_MAX];
    struct asked asked[ASKED_MAX];
    unsigned asked_count;
    struct buf log;
    bool keeps_no_body;
    int forgot;                     /* while a test lets allocations fail */
} recorder;
static struct realm *realm;
static uint32_t next_stream = 1;

static struct answer *answer_of(uint32_t stream)
{
    struct answer *free_one = NULL;

    for (int i = 0; i < ANSWERS_MAX; i++) {
        if (recorder.answers[i].stream == stream)
            return &recorder.answers[i];
        if (!recorder.answers[i].stream && !free_one)
            free_one = &recorder.answers[i];
    }
    if (!free_one)
        abort();
    free_one->stream = stream;
    free_one->window = HOST_WINDOW;
    return free_one;
}

static void on_log(void *self, uint32_t stream, enum log_level level, struct span text,
                   struct span told)
{
    (void)self, (void)told;
    CHECK(gettid() == getpid());
    if (level == HOST_RAISED)
        level = LOG_ERROR;
    if (buf_print(&recorder.log, "[%d:%u] %.*s\n", (int)level, stream, SPAN_ARG(text)) < 0)
        recorder.forgot++;
}

static void on_met(void *self, uint32_t stream, enum limit limit)
{
    (void)self;
    CHECK(gettid() == getpid());
    if (buf_print(&recorder.log, "[met:%u] %s\n", stream, limit_name(limit)) < 0)
        recorder.forgot++;
}

static void on_respond(void *self, uint32_t stream, const struct host_response *r)
{
    struct answer *a = answer_of(stream);
    size_t n = 0;

    (void)self;
    CHECK(a->status == 0);
    a->calls_after_done += a->is_done;
    a->status = r->status;
    a->length = r->body_length;
    snprintf(a->status_text, sizeof a->status_text, "%.*s", SPAN_ARG(r->status_text));
    for (size_t i = 0; i < r->header_count && n < sizeof a->headers; i++)
        n += (size_t)snprintf(a->headers + n, sizeof a->headers - n, "%.*s: %.*s\n",
                              SPAN_ARG(r->headers[i].name), SPAN_ARG(r->headers[i].value));
    a->is_ended = r->body_length == 0;
}

static void on_body(void *self, uint32_t stream, struct span bytes, bool is_end)
{
    struct answer *a = answer_of(stream);

    (void)self;
    CHECK(a->status != 0 && !a->is_ended);
    CHECK(bytes.len <= a->window);
    a->calls_after_done += a->is_done;
    a->window -= (uint32_t)bytes.len;
    a->body_bytes += bytes.len;
    if (!recorder.keeps_no_body && buf_append(&a->body, bytes.data, bytes.len) < 0)
        recorder.forgot++;
    a->is_ended = is_end;
}

static void on_fail(void *self, uint32_t stream, enum host_failure why, struct span text)
{
    struct answer *a = answer_of(stream);

    (void)self;
    a->calls_after_done += a->is_done;
    CHECK(!a->is_failed);
    CHECK((why == HOST_BODY) == (a->status != 0));
    a->is_failed = true;
    a->failure = why;
    snprintf(a->failure_text, sizeof a->failure_text, "%.*s", SPAN_ARG(text));
}

static void on_credit(void *self, uint32_t stream, uint32_t bytes)
{
    (void)self;
    answer_of(stream)->credit += bytes;
}

static void on_unwanted(void *self, uint32_t stream)
{
    (void)self;
    CHECK(!answer_of(stream)->is_unwanted);
    answer_of(stream)->is_unwanted = true;
}

static void on_done(void *self, uint32_t stream)
{
    (void)self;
    CHECK(!answer_of(stream)->is_done);
    answer_of(stream)->is_done = true;
}

static struct asked *asked_of(uint32_t stream)
{
    for (unsigned i = 0; i < recorder.asked_count; i++)
        if (recorder.asked[i].stream == stream)
            return &recorder.asked[i];
    abort();
}

static void print_pairs(char *room, size_t max, const struct host_pair *pairs, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count && n < max; i++)
        n += (size_t)snprintf(room + n, max - n, "%.*s=%.*s\n", SPAN_ARG(pairs[i].name),
                              SPAN_ARG(pairs[i].value));
}

static int on_outcall(void *self, uint32_t stream, const struct host_outcall *call,
                      struct err *err)
{
    struct asked *a = &recorder.asked[recorder.asked_count];

    (void)self;
    if (span_is(call->method, "too long"))
        return err_set(err, ERR_LIMIT, "it is too long");
    if (recorder.asked_count == ASKED_MAX)
        abort();
    CHECK(stream == (HOST_OUTCALL_BIT | ++recorder.asked_count));
    a->stream = stream;
    a->request = call->request;
    a->window = HOST_WINDOW;
    a->body_length = call->body_length;
    a->is_ended = call->body_length == 0;
    snprintf(a->method, sizeof a->method, "%.*s", SPAN_ARG(call->method));
    print_pairs(a->arguments, sizeof a->arguments, call->arguments, call->argument_count);
    print_pairs(a->headers, sizeof a->headers, call->headers, call->header_count);
    return 0;
}

static void on_outcall_body(void *self, uint32_t stream, struct span bytes, bool is_end)
{
    struct asked *a = asked_of(stream);

    (void)self;
    CHECK(!a->is_ended && !a->is_cancelled && bytes.len <= a->window);
    a->window -= (uint32_t)bytes.len;
    a->is_ended = is_end;
    if (buf_append(&a->body, bytes.data, bytes.len) < 0)
        recorder.forgot++;
}

static void on_outcall_credit(void *self, uint32_t stream, uint32_t bytes)
{
    (void)self;
    CHECK(!asked_of(stream)->is_cancelled);
    asked_of(stream)->credit += bytes;
}

static void on_outcall_cancel(void *self, uint32_t stream)
{
    (void)self;
    CHECK(!asked_of(stream)->is_cancelled);
    asked_of(stream)->is_cancelled = true;
}

static const struct host recording_host = {
    NULL,      on_log,   on_met,   on_respond, on_body,    on_fail,         on_credit,
    on_unwanted, on_done,   on_outcall, on_outcall_body, on_outcall_credit, on_outcall_cancel,
};

static inline bool log_has(const char *text)
{
    bool has;

    if (buf_append(&recorder.log, "", 1) < 0)
        abort();
    has = strstr(buf_data(&recorder.log), text) != NULL;
    recorder.log.tail--;
    return has;
}

/* ---- what tests do in an instance ---- */

/* Turn until the realm has nothing due, or `ms` have passed. */
static inline void turn_for(int ms)
{
    int64_t end = clock_now_ms() + ms;

    for (;;) {
        struct pollfd fds[4];
        int wait_ms = realm_turn(realm);
        realm_idle(realm);
        int64_t left = end - clock_now_ms();
        size_t n;
        if (left <= 0)
            return;
        if (wait_ms < 0 || wait_ms > left)
            wait_ms = (int)left;
        n = realm_poll_fds(realm, fds, 4);
        if (poll(fds, (nfds_t)n, wait_ms) > 0)
            realm_woken(realm);
    }
}

/* Turn until it holds: what has to come may take its time. */
#define TURN_UNTIL(cond)                                                                           \
    do {                                                                                           \
        int64_t end_ = clock_now_ms() + PATIENCE_MS;                                               \
        while (!(cond) && clock_now_ms() < end_) {                                                 \
            struct pollfd fds_[4];                                                                 \
            int wait_ms_ = realm_turn(realm);                                                      \
            size_t n_ = realm_poll_fds(realm, fds_, 4);                                            \
            if (cond)                                                                              \
                break;                                                                             \
            if (poll(fds_, (nfds_t)n_, wait_ms_ < 0 || wait_ms_ > 50 ? 50 : wait_ms_) > 0)         \
                realm_woken(realm);                                                                \
        }                                                                                          \
        CHECK(cond);                                                                               \
    } while (0)

static inline void turn_until_done(uint32_t stream)
{
    TURN_UNTIL(answer_of(stream)->is_done);
}

static inline uint32_t send_request(const char *method, const char *url, int64_t body_length,
                                    const struct host_pair *headers, size_t count)
{
    uint32_t stream = next_stream++;
    struct realm_request r = {span_of(method), span_of(url), headers, count, body_length, false};

    answer_of(stream);
    realm_request(realm, stream, &r);
    return stream;
}

static inline const char *body_of(uint32_t stream)
{
    struct answer *a = answer_of(stream);
    char *room;

    if (buf_reserve(&a->body, 1, &room) < 0)
        abort();
    *room = 0;
    return buf_data(&a->body);
}

/* GET url, turn until it is done, give the body (of the failure when it failed). */
static inline const char *get(const char *url)
{
    uint32_t stream = send_request("GET", url, 0, NULL, 0);

    turn_until_done(stream);
    return answer_of(stream)->is_failed ? answer_of(stream)->failure_text : body_of(stream);
}

static inline struct answer *last_answer(void)
{
    return answer_of(next_stream - 1);
}

/* ---- processes ---- */

static inline void write_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(path, 0700);
        *p = '/';
    }
    f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static inline pid_t fork_realm(void)
{
    pid_t pid;

    fflush(stdout);
    realm_fork_before(realm);
    pid = fork();
    if (pid != 0) {
        realm_fork_parent(realm);
        return pid;
    }
    realm_fork_child(realm);
    alarm(DEADLINE_SECONDS);
    test_failed_checks = 0;
    return 0;
}

static inline void wait_for_child(pid_t pid)
{
    int status = -1;

    if (pid > 0 && waitpid(pid, &status, 0) != pid)
        abort();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        if (WIFSIGNALED(status))
            printf("  a process died of signal %d\n", WTERMSIG(status));
        test_failed_checks++;
    }
}

/* The folder of a worker goes with the process that made it. */
static struct {
    char path[32];
    pid_t owner;
} worker_folder;

static inline int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

static inline void end_process(void)
{
    if (worker_folder.owner == getpid())
        nftw(worker_folder.path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    if (test_failed_checks && buf_len(&recorder.log))
        printf("  log: %.*s", (int)buf_len(&recorder.log), buf_data(&recorder.log));
    fflush(stdout);
    _exit(test_failed_checks != 0);
}

struct worker_files {
    const char *entry;          /* text of src/entry.py */
    const char *more_name, *more_text;
    const char *env, *bindings, *date, *flags;
    uint32_t handlers;          /* that it has; 0: fetch alone */
};

static inline int load_files(const struct worker_files *files, uint32_t *ret_handlers,
                             struct realm_failure *ret_failure)
{
    char folder[] = "/tmp/realm-XXXXXX";
    struct realm_bundle bundle = {
        .name = "test", .folder = folder, .main = "src/entry.py",
        .compatibility_date = files->date ? files->date : "2024-03-01",
        .compatibility_flags = files->flags ? files->flags : "disable_python_no_global_handlers",
        .env = files->env ? span_of(files->env) : SPAN("{}"),
        .bindings = files->bindings ? span_of(files->bindings) : SPAN("{}")};

    if (!mkdtemp(folder))
        abort();
    snprintf(worker_folder.path, sizeof worker_folder.path, "%s", folder);
    worker_folder.owner = getpid();
    write_file(folder, "src/entry.py", files->entry);
    if (files->more_name)
        write_file(folder, files->more_name, files->more_text);
    return realm_load(realm, &bundle, ret_handlers, ret_failure);
}

/* zygote -> template (loads, settles) -> instance (runs `checks`) */
static inline void in_instance_of(const struct worker_files *files, void (*checks)(void))
{
    pid_t template = fork_realm(), instance;
    uint32_t handlers = 0;
    struct realm_failure failure;
    struct err err = {0};

    if (template > 0) {
        wait_for_child(template);
        return;
    }
    if (load_files(files, &handlers, &failure) < 0) {
        printf("  not loaded: %s\n%s\n", failure.text, failure.traceback);
        _exit(1);
    }
    CHECK(handlers == (files->handlers ? files->handlers : 1));
    realm_settle(realm);
    CHECK(!log_has("warm-up"));
    instance = fork_realm();
    if (instance > 0) {
        wait_for_child(instance);
        end_process();
    }
    CHECK(realm_start(realm, &err) == 0);
    checks();
    end_process();
}

static inline void in_instance(const char *entry, void (*checks)(void))
{
    in_instance_of(&(struct worker_files){.entry = entry}, checks);
}

static inline void start_realm(char **argv)
{
    static const char *const wanted[][2] = {{"JSC_useConcurrentGC", "0"},
                                            {"JSC_numberOfGCMarkers", "1"},
                                            {"JSC_useConcurrentJIT", "0"},
                                            {"JSC_usePollingTraps", "1"},
                                            {"JSC_useTailCalls", "0"},
                                            {"JSC_useSharedArrayBuffer", "1"},
                                            {"JSC_useIteratorSequencing", "1"},
                                            {"JSC_useWasmRelaxedSIMD", "1"},
                                            {"GIGACAGE_ENABLED", "0"}};
    struct err err = {0};

    if (!getenv("GIGACAGE_ENABLED")) {
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            setenv(wanted[i][0], wanted[i][1], 1);
        execv("/proc/self/exe", argv);
    }
    if (realm_new(&recording_host, &realm, &err) < 0) {
        printf("realm_new: %s\n", err.text);
        exit(1);
    }
}

#endif
