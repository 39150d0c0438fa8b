/* count.c - how many rows a statement has read and written, as D1 bills them.
 *
 * Cloudflare's SQLite counts in its virtual machine: a row is read whenever a
 * cursor is put somewhere or moves on, written whenever one is put into a table
 * or an index, or a table's row is deleted.  Debian's SQLite tells us the moves
 * (sqlite3_stmt_status; its counter 0 is of those that are no scan of a whole
 * table).  How often cursors were put somewhere follows from the program, which
 * EXPLAIN shows: what stands outside of loops happened once, what stands in a
 * loop as often as the loop turned.
 *
 * Exact for one table, by key, by index or whole, sorted or not, and for a join
 * whose outer loop is a scan; an estimate for deeper nests of loops, recursive
 * SELECTs and triggers (test/unit/store_count.c, docs/compatibility.md). */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/inside.h"

enum { PROGRAM_MAX = 4096, CURSORS_MAX = 256, OPEN_SEEK_EQUAL = 2, IS_CHANGE = 1 };

enum kind {
    KIND_OTHER,
    KIND_SEEK,       /* counts a row wherever it comes to stand */
    KIND_SEEK_INDEX, /* not when it looks for equality and there is none */
    KIND_NEXT,
    KIND_NEXT_SORTED,
    KIND_NEXT_VIRTUAL,
    KIND_GOTO,
    KIND_PUT,
    KIND_COUNT,
    KIND_OPEN,
    KIND_OPEN_OWN, /* for the time of the statement */
};

struct op {
    enum kind kind;
    int p1, p2, p5;
};

static bool is_next(enum kind kind)
{
    return kind == KIND_NEXT || kind == KIND_NEXT_SORTED || kind == KIND_NEXT_VIRTUAL;
}

static enum kind kind_of(const char *name)
{
    static const struct {
        const char *name;
        enum kind kind;
    } KINDS[] = {
        {"Rewind", KIND_SEEK},
        {"Sort", KIND_SEEK},
        {"SorterSort", KIND_SEEK},
        {"Last", KIND_SEEK},
        {"NotExists", KIND_SEEK},
        {"SeekRowid", KIND_SEEK},
        {"SeekGE", KIND_SEEK_INDEX},
        {"SeekGT", KIND_SEEK_INDEX},
        {"SeekLE", KIND_SEEK_INDEX},
        {"SeekLT", KIND_SEEK_INDEX},
        {"Next", KIND_NEXT},
        {"Prev", KIND_NEXT},
        {"SorterNext", KIND_NEXT_SORTED},
        {"VNext", KIND_NEXT_VIRTUAL},
        {"Goto", KIND_GOTO},
        {"Insert", KIND_PUT},
        {"IdxInsert", KIND_PUT},
        {"VUpdate", KIND_PUT},
        {"Count", KIND_COUNT},
        {"OpenRead", KIND_OPEN},
        {"OpenWrite", KIND_OPEN},
        {"OpenEphemeral", KIND_OPEN_OWN},
        {"OpenAutoindex", KIND_OPEN_OWN},
        {"OpenPseudo", KIND_OPEN_OWN},
    };

    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (strcmp(name, KINDS[i].name) == 0)
            return KINDS[i].kind;
    return KIND_OTHER;
}

/* The smallest loop that `at` stands in, or -1. */
static int loop_around(const struct op *ops, int count, int at)
{
    int best = -1;

    for (int i = at; i < count; i++) {
        bool is_loop =
            (is_next(ops[i].kind) || ops[i].kind == KIND_GOTO) && ops[i].p2 > 1 && ops[i].p2 <= at;

        if (is_loop && (best < 0 || i - ops[i].p2 < best - ops[best].p2))
            best = i;
    }
    return best;
}

struct cursors {
    bool is_own[CURSORS_MAX];
    bool is_exact[CURSORS_MAX];
    bool is_counted[CURSORS_MAX];
};

static void note_open(struct cursors *cursors, const struct op *op)
{
    if (op->p1 < 0 || op->p1 >= CURSORS_MAX)
        return;
    cursors->is_own[op->p1] = op->kind == KIND_OPEN_OWN;
    cursors->is_exact[op->p1] = op->kind == KIND_OPEN && (op->p5 & OPEN_SEEK_EQUAL);
}

/* Only what is real counts: the rest is gone with the statement. */
static bool is_own(const struct cursors *cursors, const struct op *op)
{
    return op->p1 >= 0 && op->p1 < CURSORS_MAX && cursors->is_own[op->p1];
}

static void note_seek(struct plan *plan, const struct op *ops, int count, int at, bool is_exact)
{
    int loop = loop_around(ops, count, at);

    if (loop < 0 && is_exact)
        plan->exact_seeks++;
    else if (loop < 0)
        plan->seeks++;
    else if (ops[loop].kind == KIND_GOTO) {
        plan->goto_seeks++;
        plan->goto_steps = (uint16_t)(loop - ops[loop].p2 + 1);
    } else if (ops[loop].p5 == SQLITE_STMTSTATUS_FULLSCAN_STEP)
        plan->scan_seeks++;
    else
        plan->loop_seeks++;
}

/* An upsert may put a row by either of two ways, but each into a cursor once. */
static void note_put(struct plan *plan, struct cursors *cursors, const struct op *op,
                     bool is_trigger, const struct op *loop)
{
    bool is_known = op->p1 >= 0 && op->p1 < CURSORS_MAX;

    if (!is_trigger && !loop)
        plan->schema_writes++;
    else if (!is_trigger && loop->kind == KIND_NEXT_SORTED)
        plan->schema_rows++; /* an index is built */
    if (is_known && cursors->is_counted[op->p1])
        return;
    if (is_known)
        cursors->is_counted[op->p1] = true;
    *(is_trigger ? &plan->trigger_writes : &plan->writes) += 1;
}

static void study(struct plan *plan, const struct op *ops, int count, bool is_trigger)
{
    struct cursors cursors = {0};

    /* some are opened at the program's end, which comes first */
    for (int i = 0; i < count; i++)
        if (ops[i].kind == KIND_OPEN || ops[i].kind == KIND_OPEN_OWN)
            note_open(&cursors, &ops[i]);
    for (int i = 0; i < count; i++) {
        const struct op *op = &ops[i];
        int loop = op->kind == KIND_PUT ? loop_around(ops, count, i) : -1;
        bool is_known = op->p1 >= 0 && op->p1 < CURSORS_MAX;

        if (is_known && op->kind == KIND_OPEN)
            cursors.is_counted[op->p1] = false; /* now it is another table's */
        if (op->kind == KIND_PUT && !is_own(&cursors, op))
            note_put(plan, &cursors, op, is_trigger, loop < 0 ? NULL : &ops[loop]);
        if (is_trigger)
            continue;
        if (op->kind == KIND_SEEK || op->kind == KIND_SEEK_INDEX)
            note_seek(plan, ops, count, i,
                      op->kind == KIND_SEEK_INDEX && is_known && cursors.is_exact[op->p1]);
        plan->scans += op->kind == KIND_NEXT && op->p5 == SQLITE_STMTSTATUS_FULLSCAN_STEP;
        plan->has_next |= is_next(op->kind);
        plan->is_virtual |= op->kind == KIND_NEXT_VIRTUAL;
        plan->counts += op->kind == KIND_COUNT;
    }
}

/* Its program, and those of its triggers, each from address 0. */
static void read_program(struct plan *plan, sqlite3_stmt *explain, struct op *ops)
{
    bool is_trigger = false;
    int count = 0;

    while (sqlite3_step(explain) == SQLITE_ROW) {
        if (sqlite3_column_int(explain, 0) == 0 && count > 0) {
            study(plan, ops, count, is_trigger);
            is_trigger = true;
            count = 0;
        }
        if (count == PROGRAM_MAX)
            continue;
        ops[count++] = (struct op){kind_of((const char *)sqlite3_column_text(explain, 1)),
                                   sqlite3_column_int(explain, 2), sqlite3_column_int(explain, 3),
                                   sqlite3_column_int(explain, 6)};
    }
    study(plan, ops, count, is_trigger);
}

void plan_make(struct connection *c, struct statement *s)
{
    struct op *ops = mem_alloc(PROGRAM_MAX * sizeof *ops);
    sqlite3_stmt *explain = NULL;
    struct buf sql = {0};

    s->is_planned = true;
    s->plan = (struct plan){0};
    if (ops && !sqlite3_stmt_isexplain(s->stmt) &&
        buf_print(&sql, "EXPLAIN %s", sqlite3_sql(s->stmt)) == 0) {
        c->is_own = true;
        if (sqlite3_prepare_v2(c->db, buf_data(&sql), (int)buf_len(&sql), &explain, NULL) ==
            SQLITE_OK)
            read_program(&s->plan, explain, ops);
        sqlite3_finalize(explain);
        c->is_own = false;
    }
    buf_done(&sql);
    mem_free(ops);
}

static int64_t root_of(int64_t n)
{
    int64_t r = 0;

    while ((r + 1) * (r + 1) <= n)
        r++;
    return r;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void plan_count(const struct statement *s, const struct counted *counted, struct row_meta *meta)
{
    const struct plan *plan = &s->plan;
    int64_t moves = sqlite3_stmt_status(s->stmt, 0, 1);
    int64_t scanned = sqlite3_stmt_status(s->stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    int64_t built = sqlite3_stmt_status(s->stmt, SQLITE_STMTSTATUS_AUTOINDEX, 1);
    int64_t steps = sqlite3_stmt_status(s->stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
    int64_t some = counted->rows > 0 ? (int64_t)counted->rows : counted->changes;
    int64_t turns = scanned + 1, read, triggered = counted->total - counted->changes;

    if (plan->scans > 1)
        turns = root_of(turns);
    read = moves + scanned + built + plan->seeks + plan->scan_seeks * turns +
           plan->loop_seeks * least(moves + 1, some > 0 ? some : 1);
    if (moves > 0 || some > 0)
        read += plan->exact_seeks;
    if (plan->goto_seeks > 0 && plan->has_next && counted->changes == 0)
        read += plan->goto_seeks;
    else if (plan->goto_seeks > 0)
        read +=
            plan->goto_seeks * (counted->changes > 0 ? counted->changes : steps / plan->goto_steps);
    if (plan->is_virtual)
        read += some;
    if (plan->counts > 0)
        read += counted->count;
    meta->rows_read = read;
    if (counted->total > 0)
        meta->rows_written = counted->changes * (plan->writes > 0 ? plan->writes : 1) +
                             triggered * plan->trigger_writes;
    else if (!s->is_dml)
        meta->rows_written =
            plan->schema_writes + (scanned > 0 ? scanned + 1 : 0) * plan->schema_rows;
}
