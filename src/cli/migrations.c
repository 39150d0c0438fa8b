/* migrations.c - read the folder, sort, number, write a new file. */
#include "cli/migrations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- the folder ---- */

static long long number_of(const char *name)
{
    char *end;
    long long number = strtoll(name, &end, 10);

    return end == name || number < 0 ? -1 : number;
}

static bool is_migration(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".sql") == 0;
}

static int add(struct migrations *m, const char *name, struct err *err)
{
    struct migration *grown;
    char *copy;

    if (m->count == MIGRATIONS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d migrations in one folder", MIGRATIONS_MAX);
    if (m->count == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 32;
        grown = mem_resize(m->items, cap * sizeof *grown);
        if (!grown)
            return err_nomem(err);
        m->items = grown;
        m->cap = cap;
    }
    copy = mem_strdup(name);
    if (!copy)
        return err_nomem(err);
    m->items[m->count++] = (struct migration){.name = copy, .number = number_of(name)};
    return 0;
}

static int by_name(const void *left, const void *right)
{
    const struct migration *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static int by_number(const void *left, const void *right)
{
    const struct migration *a = left, *b = right;

    if (a->number == b->number)
        return strcmp(a->name, b->name);
    if (a->number < 0 || b->number < 0)
        return a->number < 0 ? 1 : -1;
    return a->number < b->number ? -1 : 1;
}

int migrations_read(const char *folder, struct migrations *ret, struct err *err)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int r = 0;

    *ret = (struct migrations){0};
    if (!dir) {
        r = errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
        err_errno(err, errno, "read the folder of migrations '%s'", folder);
        return r;
    }
    while (r == 0 && (entry = readdir(dir)))
        if (is_migration(entry->d_name))
            r = add(ret, entry->d_name, err);
    closedir(dir);
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof *ret->items, by_name);
    return r;
}

void migrations_done(struct migrations *m)
{
    for (size_t i = 0; i < m->count; i++)
        mem_free(m->items[i].name);
    mem_free(m->items);
    *m = (struct migrations){0};
}

void migrations_sort(struct migrations *m)
{
    if (m->count > 0)
        qsort(m->items, m->count, sizeof *m->items, by_number);
}

static int by_span(const void *key, const void *item)
{
    const struct span *name = key;
    const struct migration *m = item;
    size_t len = strlen(m->name);
    int order = memcmp(name->data, m->name, name->len < len ? name->len : len);

    return order ? order : name->len < len ? -1 : name->len > len;
}

void migrations_mark(struct migrations *m, struct span name)
{
    struct migration *found =
        m->count > 0 ? bsearch(&name, m->items, m->count, sizeof *m->items, by_span) : NULL;

    if (found)
        found->is_applied = true;
}

void migrations_keep_new(struct migrations *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->count; i++) {
        if (m->items[i].is_applied)
            mem_free(m->items[i].name);
        else
            m->items[kept++] = m->items[i];
    }
    m->count = kept;
}

long long migrations_next(const struct migrations *m)
{
    long long highest = 0;

    for (size_t i = 0; i < m->count; i++)
        if (m->items[i].number > highest && m->items[i].number < LLONG_MAX)
            highest = m->items[i].number;
    return highest + 1;
}

/* ---- a new file ---- */

int migrations_name(long long number, const char *message, char *ret, size_t size, struct err *err)
{
    int n = snprintf(ret, size, "%04lld_%s.sql", number, message);

    if (strchr(message, '/'))
        return err_set(err, ERR_INVALID, "the message becomes a file's name: it cannot have a '/'");
    if (n < 0 || (size_t)n >= size || n > NAME_MAX)
        return err_set(err, ERR_INVALID, "the message becomes a file's name: it is too long");
    for (char *p = ret; *p; p++)
        if (*p == ' ')
            *p = '_';
    return 0;
}

static void print_now(char *out, size_t size)
{
    int64_t now_ms = clock_wall_ms();
    time_t seconds = (time_t)(now_ms / 1000);
    struct tm tm;
    char day[32];

    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
    snprintf(out, size, "%s.%03dZ", day, (int)(now_ms % 1000));
}

int migrations_write(const char *folder, const char *name, long long number, struct err *err)
{
    char path[PATH_MAX], now[48];
    FILE *f;
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        int r = errno == EEXIST ? ERR_LIMIT : ERR_SYSTEM;
        err_errno(err, errno, "write '%s'", path);
        return r;
    }
    f = fdopen(fd, "w");
    if (!f) {
        close(fd);
        return err_nomem(err);
    }
    print_now(now, sizeof now);
    fprintf(f, "-- Migration number: %04lld \t %s\n", number, now);
    if (fclose(f) == EOF)
        return err_errno(err, errno, "write '%s'", path);
    return 0;
}
