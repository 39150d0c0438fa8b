/* messages.c - see messages.h. */
#include "project/messages.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "project/path.h"

const char *const NODE_MODULES[] = {"_http_agent",
                                    "_http_client",
                                    "_http_common",
                                    "_http_incoming",
                                    "_http_outgoing",
                                    "_http_server",
                                    "_stream_duplex",
                                    "_stream_passthrough",
                                    "_stream_readable",
                                    "_stream_transform",
                                    "_stream_wrap",
                                    "_stream_writable",
                                    "_tls_common",
                                    "_tls_wrap",
                                    "assert",
                                    "assert/strict",
                                    "async_hooks",
                                    "buffer",
                                    "child_process",
                                    "cluster",
                                    "console",
                                    "constants",
                                    "crypto",
                                    "dgram",
                                    "diagnostics_channel",
                                    "dns",
                                    "dns/promises",
                                    "domain",
                                    "events",
                                    "fs",
                                    "fs/promises",
                                    "http",
                                    "http2",
                                    "https",
                                    "inspector",
                                    "inspector/promises",
                                    "module",
                                    "net",
                                    "os",
                                    "path",
                                    "path/posix",
                                    "path/win32",
                                    "perf_hooks",
                                    "process",
                                    "punycode",
                                    "querystring",
                                    "readline",
                                    "readline/promises",
                                    "repl",
                                    "stream",
                                    "stream/consumers",
                                    "stream/promises",
                                    "stream/web",
                                    "string_decoder",
                                    "sys",
                                    "timers",
                                    "timers/promises",
                                    "tls",
                                    "trace_events",
                                    "tty",
                                    "url",
                                    "util",
                                    "util/types",
                                    "v8",
                                    "vm",
                                    "wasi",
                                    "worker_threads",
                                    "zlib",
                                    NULL};

bool messages_is_node(struct span name)
{
    for (size_t i = 0; NODE_MODULES[i]; i++)
        if (span_is(name, NODE_MODULES[i]))
            return true;
    return false;
}

/* ---- lines ---- */

static struct span next_line(struct span *rest)
{
    const char *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
    struct span line = {rest->data, end ? (size_t)(end - rest->data) : rest->len};

    rest->data += line.len + !!end;
    rest->len -= line.len + !!end;
    return line;
}

static bool starts(struct span s, const char *with)
{
    return s.len >= strlen(with) && memcmp(s.data, with, strlen(with)) == 0;
}

static struct span without(struct span s, size_t n)
{
    return (struct span){s.data + n, s.len - n};
}

/* Does a message begin here?  What it says is behind the mark. */
static bool is_head(struct span line, enum severity *ret_severity, struct span *ret_text)
{
    static const struct {
        const char *mark;
        enum severity severity;
    } MARKS[] = {{"✘ [ERROR] ", SEVERITY_ERROR},
                 {"X [ERROR] ", SEVERITY_ERROR},
                 {"▲ [WARNING] ", SEVERITY_WARNING},
                 {"! [WARNING] ", SEVERITY_WARNING}};

    for (size_t i = 0; i < sizeof MARKS / sizeof *MARKS; i++)
        if (starts(line, MARKS[i].mark)) {
            *ret_severity = MARKS[i].severity;
            *ret_text = without(line, strlen(MARKS[i].mark));
            return true;
        }
    return false;
}

/* "FILE:12:34:", with 4 spaces before it. */
static bool is_place(struct span line, struct span *ret_file, int *ret_line, int *ret_column)
{
    int numbers[2];
    size_t n;

    if (!starts(line, "    ") || line.len < 9 || line.data[4] == ' ' ||
        line.data[line.len - 1] != ':')
        return false;
    line = (struct span){line.data + 4, line.len - 5};
    for (int i = 1; i >= 0; i--) {
        for (n = line.len; n > 0 && line.data[n - 1] >= '0' && line.data[n - 1] <= '9'; n--)
            ;
        if (n == line.len || n < 2 || line.data[n - 1] != ':' || line.len - n > 8)
            return false;
        numbers[i] = atoi(line.data + n);
        line.len = n - 1;
    }
    *ret_file = line;
    *ret_line = numbers[0];
    *ret_column = numbers[1] + 1;
    return true;
}

/* Behind "      12 │ ". */
static bool is_source(struct span line, struct span *ret_source)
{
    static const char BAR[] = "│ ";
    const char *at = memmem(line.data, line.len, BAR, sizeof BAR - 1);

    if (!at || !starts(line, "     "))
        return false;
    *ret_source = without(line, (size_t)(at - line.data) + sizeof BAR - 1);
    return true;
}

/* ---- hints ---- */

/* What stands between the first two double quotes. */
static struct span quoted(struct span text)
{
    const char *from = memchr(text.data, '"', text.len), *to;

    if (!from)
        return SPAN("");
    from++;
    to = memchr(from, '"', (size_t)(text.data + text.len - from));
    return to ? (struct span){from, (size_t)(to - from)} : SPAN("");
}

/* "@scope/name/x" -> "@scope/name" */
static struct span package_of(struct span name)
{
    size_t slashes = name.data[0] == '@' ? 2 : 1, n = 0;

    for (; n < name.len; n++)
        if (name.data[n] == '/' && --slashes == 0)
            break;
    name.len = n;
    return name;
}

static bool hint_resolve(const struct messages_of *of, struct span name, char *out, size_t size)
{
    struct span package = package_of(name);

    if (name.len == 0 || name.data[0] == '.' || name.data[0] == '/' || name.data[0] == '#')
        return false;
    if (messages_is_node(name) && !of->has_node)
        snprintf(out, size,
                 "\"%.*s\" is a module of Node.js: add \"nodejs_compat\" to compatibility_flags",
                 SPAN_ARG(name));
    else
        snprintf(out, size,
                 "run `npm install`, or `npm install %.*s` when package.json does not name it",
                 SPAN_ARG(package));
    return true;
}

static bool hint(const struct messages_of *of, struct span text, char *out, size_t size)
{
    struct span name = quoted(text);

    if (starts(text, "Could not resolve \"") && name.len < 200)
        return hint_resolve(of, name, out, size);
    if (starts(text, "No loader is configured for \"")) {
        snprintf(
            out, size,
            "a rule says what such files are: {type = \"Text\", globs = [\"**/*%.*s\"]} in 'rules'",
            SPAN_ARG(name));
        return true;
    }
    if (memmem(text.data, text.len, "but found \"with\"", 16) ||
        memmem(text.data, text.len, "\"using\"", 7)) {
        snprintf(out, size,
                 "%.300s may be too old for this: `npm install --save-dev esbuild` gives the "
                 "project a newer one",
                 of->bundler);
        return true;
    }
    return false;
}

/* ---- messages ---- */

struct message {
    enum severity severity;
    struct span text, file, source;
    int line, column;
    bool has_place;
    struct buf notes;
};

static void add(const struct messages_of *of, const struct message *m, struct diagnostics *d)
{
    char file[1024], ours[600], *path = NULL, *shown = NULL;
    struct place where = {0};
    const char *advice = NULL;

    if (m->has_place && m->file.len < sizeof file) {
        snprintf(file, sizeof file, "%.*s", SPAN_ARG(m->file));
        path = path_join(of->folder, file);
        shown = path ? path_shown(path) : NULL;
        where = (struct place){shown ? shown : file, m->line, m->column, m->source};
    }
    if (hint(of, m->text, ours, sizeof ours))
        advice = ours;
    else if (buf_len(&m->notes) > 0)
        advice = buf_data(&m->notes);
    diagnostics_add(d, m->severity, where, advice, "%.*s", SPAN_ARG(m->text));
    mem_free(shown);
    mem_free(path);
}

/* One note: lines with two spaces before them. */
static int take_note(struct message *m, struct span line)
{
    if (!starts(line, "  ") || starts(line, "   ") || buf_len(&m->notes) > 1000)
        return 0;
    if (buf_len(&m->notes) > 0) /* over the NUL */
        m->notes.mem[m->notes.tail - 1] = '\n';
    return buf_print(&m->notes, "%.*s%c", SPAN_ARG(without(line, 2)), '\0');
}

static int take_line(struct message *m, struct span line)
{
    struct span file, source;
    int number, column;

    if (is_place(line, &file, &number, &column)) {
        if (!m->has_place) {
            m->file = file;
            m->line = number;
            m->column = column;
        }
        m->has_place = true;
        return 0;
    }
    if (m->has_place && !m->source.data && is_source(line, &source)) {
        m->source = source;
        return 0;
    }
    return take_note(m, line);
}

size_t messages_read(const struct messages_of *of, struct span text, struct diagnostics *d)
{
    struct message m = {0};
    enum severity severity;
    bool is_in = false;
    struct span head;
    size_t errors = 0;

    while (text.len > 0) {
        struct span line = next_line(&text);
        if (is_head(line, &severity, &head)) {
            if (is_in)
                add(of, &m, d);
            buf_done(&m.notes);
            m = (struct message){.severity = severity, .text = head};
            is_in = true;
            errors += severity == SEVERITY_ERROR;
        } else if (is_in && take_line(&m, line) < 0) {
            d->is_short = true;
        }
    }
    if (is_in)
        add(of, &m, d);
    buf_done(&m.notes);
    return errors;
}
