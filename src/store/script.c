/* script.c - exec and script: text, one statement after the other, in one transaction.
 *
 * The text of an exec is whole.  That of a script comes while it runs: what has come is moved out
 * of the call's body, which makes room for more.  What other tools put around a dump, BEGIN at
 * its head and COMMIT at its end, is left out: it is one transaction anyway.
 *
 * Time limits are for each statement of a script, and for each wait for more of it. */
#include <ctype.h>
#include <stdio.h>

#include "base/clock.h"
#include "store/serving.h"

enum {
    SCRIPT_TEXT_MAX = 256 * 1024, /* bytes without an end of a statement */
    SCRIPT_PROGRESS_US = 100 * 1000,
};

enum word { WORD_OTHER, WORD_BEGIN, WORD_COMMIT, WORD_PRAGMA };

struct script {
    struct thread *thread;
    struct call *call;
    struct buf come;     /* of a script: moved out of the body */
    struct span text;    /* what is ahead */
    bool is_whole;       /* nothing comes behind it */
    uint64_t line;       /* where `text` begins, from 1 */
    uint64_t bytes;      /* before `text` */
    uint64_t statements; /* that have run */
    int64_t told_us;     /* when progress was last reported */
    bool has_work;       /* a statement that is not a PRAGMA came */
    bool has_begun, has_committed;
};

/* ---- reading SQL ---- */

static size_t blank_len(struct span s)
{
    size_t i = 0;

    for (;;) {
        while (i < s.len && isspace((unsigned char)s.data[i]))
            i++;
        if (i + 1 < s.len && s.data[i] == '-' && s.data[i + 1] == '-') {
            while (i < s.len && s.data[i] != '\n')
                i++;
        } else if (i + 1 < s.len && s.data[i] == '/' && s.data[i + 1] == '*') {
            for (i += 2; i < s.len && !(s.data[i - 1] == '*' && s.data[i] == '/'); i++)
                ;
            i += i < s.len;
        } else {
            return i;
        }
    }
}

static struct span skip(struct span s, size_t n)
{
    return (struct span){s.data + n, s.len - n};
}

static uint64_t lines_of(struct span s)
{
    uint64_t n = 0;
    const char *p = s.data, *end = s.data + s.len;

    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

/* By its first word. */
static enum word word_of(struct span sql)
{
    static const struct {
        const char *name;
        enum word word;
    } WORDS[] = {{"begin", WORD_BEGIN},
                 {"commit", WORD_COMMIT},
                 {"end", WORD_COMMIT},
                 {"pragma", WORD_PRAGMA}};
    size_t n = 0;

    while (n < sql.len && isalpha((unsigned char)sql.data[n]))
        n++;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (span_is_nocase((struct span){sql.data, n}, WORDS[i].name))
            return WORDS[i].word;
    return WORD_OTHER;
}

/* ---- text that comes ---- */

/* Under the lock. */
static int move_body(struct script *s, struct err *err)
{
    struct store *store = s->thread->store;
    struct call *call = s->call;
    size_t n = buf_len(&call->body);
    struct credit m;
    int r = 0;

    buf_eat(&s->come, buf_len(&s->come) - s->text.len);
    if (buf_append(&s->come, buf_data(&call->body), n) < 0)
        return err_nomem(err);
    buf_eat(&call->body, n);
    store->calls.body_bytes -= n;
    s->text = buf_span(&s->come);
    s->is_whole = call->has_whole_body;
    m.bytes = (uint32_t)n;
    if (!s->is_whole) {
        r = credit_put(outbox_enter(&store->out), 0, call->stream, &m, err);
        outbox_leave(&store->out);
    }
    return r;
}

static int await_text(struct script *s, struct err *err)
{
    struct store *store = s->thread->store;
    struct timespec at = {s->thread->deadline_us / 1000000,
                          s->thread->deadline_us % 1000000 * 1000};
    struct call *call = s->call;
    int r = 0;

    if (s->text.len > SCRIPT_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "statement too long: SQLITE_TOOBIG");
    pthread_mutex_lock(&store->lock);
    while (r == 0 && buf_len(&call->body) == 0 && !call->has_whole_body) {
        if (atomic_load(&call->is_cancelled) || atomic_load(&store->is_ending))
            r = err_set(err, ERR_GONE, "nobody waits for it");
        else if (clock_now_us() >= s->thread->deadline_us)
            r = err_set(err, ERR_CANCELLED,
                        "Can't read from request stream because client disconnected.");
        else
            pthread_cond_timedwait(&store->changed, &store->lock, &at);
    }
    if (r == 0)
        r = move_body(s, err);
    pthread_mutex_unlock(&store->lock);
    if (r == 0)
        r = outbox_drain(&store->out, err);
    return r;
}

/* ---- statements ---- */

static void step_over(struct script *s, size_t n)
{
    s->line += lines_of((struct span){s->text.data, n});
    s->bytes += n;
    s->text = skip(s->text, n);
}

/* 1: *ret is the next statement, at the line s->line; 0: there is none. */
static int next_statement(struct script *s, struct span *ret, struct err *err)
{
    bool is_empty;
    size_t len, blank;
    int r;

    for (;;) {
        r = split_next(s->text, &len, &is_empty);
        if (r == 0 && !s->is_whole) {
            r = await_text(s, err);
            if (r < 0)
                return r;
            continue;
        }
        if (r == 0)
            len = s->text.len;
        blank = blank_len((struct span){s->text.data, len});
        if (r == 0 && blank == len)
            return 0;
        if (r == 1 && is_empty) {
            step_over(s, len);
            continue;
        }
        step_over(s, blank);
        *ret = (struct span){s->text.data, len - blank};
        return 1;
    }
}

/* The BEGIN and COMMIT of a dump. */
static bool is_left_out(struct script *s, struct span sql)
{
    enum word word = word_of(sql);

    if (s->call->method != CALL_SCRIPT)
        return false;
    if (word == WORD_BEGIN && !s->has_begun && !s->has_work) {
        s->has_begun = true;
        return true;
    }
    if (word == WORD_COMMIT && s->has_begun && !s->has_committed) {
        s->has_committed = true;
        return true;
    }
    if (word != WORD_PRAGMA)
        s->has_work = true;
    return false;
}

static int tell_progress(struct script *s, struct err *err)
{
    const uint64_t numbers[] = {s->statements, s->line, s->bytes};
    struct buf record = {0};
    size_t mark;
    int r;

    if (s->call->method != CALL_SCRIPT || clock_now_us() - s->told_us < SCRIPT_PROGRESS_US)
        return 0;
    s->told_us = clock_now_us();
    r = row_begin(&record, ROW_RECORD_PROGRESS, &mark);
    for (unsigned i = 0; i < 3 && r == 0; i++) {
        r = row_put_u32(&record, (uint32_t)numbers[i]);
        r = r < 0 ? r : row_put_u32(&record, (uint32_t)(numbers[i] >> 32));
    }
    if (r < 0) {
        r = err_nomem(err);
    } else {
        row_end(&record, mark);
        r = run_put(s->thread, buf_span(&record), err);
        if (r == 0 && s->thread->is_first)
            run_send(s->thread);
    }
    buf_done(&record);
    return r;
}

/* Where it went wrong, for a person. */
static void note_fault(struct script *s, struct span sql, struct row_error *fault)
{
    size_t n = sql.len < sizeof s->thread->sql ? sql.len : sizeof s->thread->sql;

    /* not through a character */
    while (n > 0 && n < sql.len && ((unsigned char)sql.data[n] & 0xC0) == 0x80)
        n--;
    memcpy(s->thread->sql, sql.data, n);
    fault->statement = (uint32_t)s->statements;
    fault->line = (uint32_t)s->line;
    fault->sql = (struct span){s->thread->sql, n};
}

static int run_one(struct script *s, struct connection *c, struct span sql, struct err *err)
{
    const struct sink sink = {run_put, s->thread};
    int r;

    if (is_left_out(s, sql))
        return 0;
    r = connection_run(c, sql, SPAN(""), 0, &sink, err);
    if (r < 0)
        return r;
    s->statements++;
    if (s->call->method == CALL_SCRIPT)
        thread_watch_on(s->thread);
    /* SQLite looks within long statements only. */
    if (s->thread->watch.look(s->thread))
        return err_set(err, ERR_CANCELLED, "interrupted: SQLITE_INTERRUPT");
    return 0;
}

static int run_all(struct script *s, struct connection *c, struct row_error *fault, struct err *err)
{
    int r;

    for (;;) {
        struct span sql = SPAN("");
        r = next_statement(s, &sql, err);
        if (r == 0)
            break;
        if (r > 0)
            r = run_one(s, c, sql, err);
        if (r < 0) {
            note_fault(s, sql, fault);
            return r;
        }
        step_over(s, sql.len);
        r = tell_progress(s, err);
        if (r < 0)
            return r;
    }
    if (s->has_begun && !s->has_committed)
        return err_set(err, ERR_INVALID,
                       "the script ends inside of the transaction that it began: "
                       "its end, with the COMMIT, is missing");
    if (s->statements == 0)
        return err_set(err, ERR_INVALID, "No SQL statements detected.");
    s->told_us = 0;
    return tell_progress(s, err);
}

int script_run(struct thread *t, struct connection *c, struct call *call, struct row_error *fault,
               struct err *err)
{
    struct script s = {.thread = t, .call = call, .line = 1, .told_us = clock_now_us()};
    int r;

    if (call->method == CALL_EXEC) {
        s.text = buf_span(&call->body);
        s.is_whole = true;
    } else {
        s.text = buf_span(&s.come);
        thread_pass_lead(t);
    }
    r = run_all(&s, c, fault, err);
    buf_done(&s.come);
    return r;
}
