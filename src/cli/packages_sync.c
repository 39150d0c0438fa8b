/* packages_sync.c - `corral packages sync [debian|DATE]`: make a package set, or bring it up to
 * date. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/packages.h"

static const struct option OPTIONS[] = {
    {"--index-url", NULL, "URL", "the package index for DATE (PyPI)"},
    {"--lock", NULL, "FILE", "of DATE take what this pylock.toml lists, hashes checked"},
    {"--cwd", NULL, "FOLDER", "as if started in this folder"},
    {0},
};

/* The packager's folder need not be ours: an absolute path, or as it stands and not found there. */
static json_t *file_value(const char *path)
{
    char *whole = path ? realpath(path, NULL) : NULL;
    json_t *value = path ? json_string(whole ? whole : path) : json_null();

    free(whole);
    return value;
}

static void print_done(json_t *done)
{
    const char *name = json_string_value(json_object_get(done, "set"));
    const char *folder = json_string_value(json_object_get(done, "folder"));
    json_int_t count = json_integer_value(json_object_get(done, "packages"));

    if (json_is_true(json_object_get(done, "new")))
        printf("Made the package set %s of %" JSON_INTEGER_FORMAT " packages in %s\n", name, count,
               folder);
    else
        printf("The package set %s is up to date: %" JSON_INTEGER_FORMAT " packages in %s\n", name,
               count, folder);
}

int packages_sync(char **args)
{
    static const struct packages_spec SPEC = {
        .usage = "sync [WHAT]",
        .about =
            "Make a package set, or renew it when what it is made of has changed.\n\n"
            "  debian   the default set, of this system's Python packages; also when WHAT is left "
            "out\n"
            "  DATE     such as 2024-03-29: the versions that Cloudflare had for this "
            "compatibility date,\n"
            "           from a package index\n",
        .word = "WHAT",
        .options = OPTIONS,
    };
    struct packages_line line;
    struct err err = {0};
    json_t *done, *job;
    int code = packages_begin(&SPEC, args, &line), r = 0;

    if (code != PACKAGES_GO)
        return code;
    job =
        json_pack("{s:s, s:s, s:s?, s:o}", "job", "sync", "what", line.word ? line.word : "debian",
                  "index_url", line.index_url, "lock", file_value(line.lock));
    if (packages_ask(job, &done) < 0)
        return 1;
    if (line.is_json)
        r = cli_print_json(json_incref(done), &err);
    else
        print_done(done);
    json_decref(done);
    return r < 0 ? cli_fail(&err, 1) : 0;
}
