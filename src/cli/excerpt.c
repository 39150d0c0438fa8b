/* excerpt.c - open carefully, read whole, keep the lines in question. */
#include "cli/excerpt.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* "src/entry.py": no part is empty or begins with a dot. */
static bool is_inside(struct span file)
{
    bool is_start = true;

    for (size_t i = 0; i < file.len; i++) {
        char c = file.data[i];
        if (c == '\0' || (is_start && (c == '/' || c == '.')))
            return false;
        is_start = c == '/';
    }
    return file.len > 0 && !is_start;
}

/* Descend by one folder after the other, so that no link on the way is followed. */
static int open_below(const char *folder, struct span file)
{
    int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), next;
    char part[NAME_MAX + 1];

    while (at >= 0) {
        const char *slash = memchr(file.data, '/', file.len);
        size_t n = slash ? (size_t)(slash - file.data) : file.len;
        if (n >= sizeof part)
            break;
        memcpy(part, file.data, n);
        part[n] = '\0';
        next =
            openat(at, part,
                   O_NOFOLLOW | O_CLOEXEC | (slash ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK));
        close(at);
        at = next;
        if (!slash)
            return at;
        file.data += n + 1;
        file.len -= n + 1;
    }
    if (at >= 0)
        close(at);
    return -1;
}

static char *read_whole(int fd, size_t *ret_len)
{
    struct stat st;
    char *text;
    ssize_t n;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
        st.st_size > EXCERPT_FILE_MAX)
        return NULL;
    text = mem_alloc((size_t)st.st_size);
    n = text ? read(fd, text, (size_t)st.st_size) : -1;
    if (n <= 0) {
        mem_free(text);
        return NULL;
    }
    *ret_len = (size_t)n;
    return text;
}

static int keep_lines(struct span text, int line, struct buf *out, int *ret_first)
{
    int number = 1, first = line > EXCERPT_BEFORE ? line - EXCERPT_BEFORE : 1, r = ERR_NOT_FOUND;
    size_t start = buf_len(out);

    for (size_t at = 0; at < text.len && number <= line + EXCERPT_AFTER; number++) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        size_t n = end ? (size_t)(end - text.data) - at + 1 : text.len - at;
        if (number >= first && buf_len(out) - start + n > EXCERPT_MAX)
            break;
        if (number >= first && buf_append(out, text.data + at, n) < 0)
            return ERR_NOMEM;
        if (number == line)
            r = 0;
        at += n;
    }
    *ret_first = first;
    return r;
}

/* The text of a source in index.js.map, with which the bundle of a JavaScript project comes. */
static int read_from_map(const char *folder, struct span file, int line, struct buf *out,
                         int *ret_first)
{
    int fd = open_below(folder, SPAN("index.js.map")), r = ERR_NOT_FOUND;
    struct stat st;
    json_t *map = NULL, *sources, *one;
    size_t i;

    if (fd < 0)
        return ERR_NOT_FOUND;
    if (fstat(fd, &st) == 0 && st.st_size <= EXCERPT_MAP_MAX)
        map = json_loadfd(fd, 0, NULL);
    close(fd);
    sources = json_object_get(map, "sources");
    json_array_foreach(sources, i, one)
    {
        const char *name = json_string_value(one);
        json_t *text = json_array_get(json_object_get(map, "sourcesContent"), i);
        if (name && json_is_string(text) && span_is(file, name)) {
            r = keep_lines((struct span){json_string_value(text), json_string_length(text)}, line,
                           out, ret_first);
            break;
        }
    }
    json_decref(map);
    return r;
}

int excerpt_read(const char *folder, struct span file, int line, struct buf *out, int *ret_first)
{
    int fd = is_inside(file) ? open_below(folder, file) : -1, r;
    size_t len = 0;
    char *text;

    if (fd < 0)
        return read_from_map(folder, file, line, out, ret_first);
    text = read_whole(fd, &len);
    close(fd);
    r = text ? keep_lines((struct span){text, len}, line, out, ret_first) : ERR_NOT_FOUND;
    mem_free(text);
    return r;
}
