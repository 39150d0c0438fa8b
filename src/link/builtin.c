/* builtin.c - see builtin.h. */
#include "link/builtin.h"

#include <stdio.h>
#include <string.h>

#define NODE        "node/"
#define NODE_PREFIX "node:"
#define SERVERS     "cloudflare:node"
#define ENV_DATE    "2025-04-01" /* from then on process.env is full */
#define V2_DATE     "2024-09-23" /* from then on nodejs_compat means nodejs_compat_v2 */

static const char *const OF_NODE[] = {"assert",       "async_hooks",
                                      "buffer",       "child_process",
                                      "cluster",      "console",
                                      "constants",    "crypto",
                                      "dgram",        "diagnostics_channel",
                                      "dns",          "domain",
                                      "events",       "fs",
                                      "http",         "http2",
                                      "https",        "inspector",
                                      "module",       "net",
                                      "os",           "path",
                                      "perf_hooks",   "process",
                                      "punycode",     "querystring",
                                      "readline",     "repl",
                                      "stream",       "string_decoder",
                                      "sys",          "test",
                                      "timers",       "tls",
                                      "trace_events", "tty",
                                      "url",          "util",
                                      "v8",           "vm",
                                      "wasi",         "worker_threads",
                                      "zlib",         "sqlite"};

bool builtin_is_flag(const char *flags, const char *flag)
{
    size_t n = strlen(flag);

    for (const char *at = flags ? flags : ""; *at;) {
        size_t m = strcspn(at, " ,");
        if (m == n && memcmp(at, flag, n) == 0)
            return true;
        at += m + (at[m] != '\0');
    }
    return false;
}

enum builtin_node builtin_node(const char *date, const char *flags)
{
    bool is_on = builtin_is_flag(flags, "nodejs_compat");

    if (builtin_is_flag(flags, "nodejs_compat_v2"))
        return BUILTIN_NODE;
    if (is_on && date && strcmp(date, V2_DATE) >= 0 &&
        !builtin_is_flag(flags, "no_nodejs_compat_v2"))
        return BUILTIN_NODE;
    if (is_on)
        return BUILTIN_NODE_PREFIXED;
    return builtin_is_flag(flags, "nodejs_als") ? BUILTIN_NODE_ASYNC_HOOKS : BUILTIN_NO_NODE;
}

bool builtin_name(const struct builtin_file *file, char *out, size_t n)
{
    const char *slash = strchr(file->name, '/'), *end = strrchr(file->name, '.');
    int len;

    if (!slash || !end || end < slash)
        return false;
    len = snprintf(out, n, "%.*s:%.*s", (int)(slash - file->name), file->name,
                   (int)(end - slash - 1), slash + 1);
    return len > 0 && (size_t)len < n;
}

bool builtin_has_bare_name(const struct builtin_file *file)
{
    static const char *const PREFIXED[] = {"internal/", "sea.js", "sqlite.js", "test.js", "test/"};

    if (!builtin_is_node(file))
        return false;
    for (size_t i = 0; i < sizeof PREFIXED / sizeof *PREFIXED; i++)
        if (strncmp(file->name + strlen(NODE), PREFIXED[i], strlen(PREFIXED[i])) == 0)
            return false;
    return true;
}

bool builtin_is_node(const struct builtin_file *file)
{
    return strncmp(file->name, NODE, sizeof NODE - 1) == 0;
}

bool builtin_populates_env(const char *date, const char *flags)
{
    if (builtin_is_flag(flags, "nodejs_compat_do_not_populate_process_env"))
        return false;
    return builtin_is_flag(flags, "nodejs_compat_populate_process_env") ||
           (date && strcmp(date, ENV_DATE) >= 0);
}

bool builtin_is_there(const struct builtin_file *file, enum builtin_node node)
{
    if (strcmp(file->name, "cloudflare/node.js") == 0) /* SERVERS: over node:http */
        return node == BUILTIN_NODE || node == BUILTIN_NODE_PREFIXED;
    if (!builtin_is_node(file))
        return true;
    if (node == BUILTIN_NODE_ASYNC_HOOKS)
        return strcmp(file->name, NODE "async_hooks.js") == 0 ||
               strncmp(file->name, NODE "internal/", strlen(NODE "internal/")) == 0;
    return node != BUILTIN_NO_NODE;
}

const struct builtin_file *builtin_find(const char *name)
{
    for (const struct builtin_file *f = builtin_files; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

bool builtin_is_of_node(const char *spec)
{
    size_t n;

    if (strncmp(spec, NODE_PREFIX, sizeof NODE_PREFIX - 1) == 0 || strcmp(spec, SERVERS) == 0)
        return true;
    n = strcspn(spec, "/");
    for (size_t i = 0; i < sizeof OF_NODE / sizeof *OF_NODE; i++)
        if (strlen(OF_NODE[i]) == n && memcmp(spec, OF_NODE[i], n) == 0)
            return true;
    return false;
}
