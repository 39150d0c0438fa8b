/* packages_lock.c - `corral packages lock`: write a project's pylock.toml. */
#include <stdio.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/node.h"
#include "cli/packages.h"
#include "packages/environment.h"
#include "project/project.h"
#include "text/value.h"

static const struct option OPTIONS[] = {
    {"--index-url", NULL, "URL", "the package index, when requirements.txt names none"},
    {"--env", "-e", "NAME", "use [env.NAME] of the configuration"},
    {"--config", "-c", "FILE", "use this configuration file"},
    {"--cwd", NULL, "FOLDER", "as if started in this folder"},
    {0},
};

/* The project, with what is wrong with it said. */
static int load(const struct packages_line *line, struct project *ret, struct err *err)
{
    char program[PROGRAM_PATH_MAX];
    struct project_options options = {.scope = PROJECT_STATE,
                                      .config = line->config,
                                      .env = line->env,
                                      .worker_program = program};
    struct diagnostics said = {0};
    struct buf text = {0};
    int r;

    value_init();
    r = node_find_worker(program, err);
    if (r == 0) {
        r = project_load(&options, ret, &said, err);
        if (diagnostics_print(&said, &text) == 0)
            fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&text)));
        if (r < 0 && said.errors > 0)
            err->text[0] = '\0';
    }
    buf_done(&text);
    diagnostics_done(&said);
    return r;
}

static int lock(const struct packages_line *line, const struct project *p)
{
    struct buf state = {0};
    struct err err = {0};
    json_t *done = NULL;
    int r = buf_print(&state, "%s/environments", p->state_folder);

    if (r < 0)
        return cli_fail((err_nomem(&err), &err), 1);
    r = packages_ask(json_pack("{s:s, s:s, s:s, s:s#, s:I, s:s?}", "job", "lock", "project",
                               p->folder, "date", p->compatibility_date, "state",
                               buf_span(&state).data, (int)buf_len(&state), "limit_bytes",
                               (json_int_t)ENVIRONMENT_BYTES_MAX, "index_url", line->index_url),
                     &done);
    if (r == 0 && line->is_json)
        r = cli_print_json(json_incref(done), &err);
    else if (r == 0)
        printf("Wrote %s: %" JSON_INTEGER_FORMAT " packages\n",
               json_string_value(json_object_get(done, "file")),
               json_integer_value(json_object_get(done, "packages")));
    json_decref(done);
    buf_done(&state);
    return r < 0 && err.text[0] ? cli_fail(&err, 1) : r < 0;
}

int packages_lock(char **args)
{
    static const struct packages_spec SPEC = {
        .usage = "lock",
        .about =
            "Resolve what the project asks for in requirements.txt and pyproject.toml, and\n"
            "write it to pylock.toml (PEP 751) beside them, with hashes.  It is a record, for\n"
            "people and for other programs: `corral dev` goes by requirements.txt and\n"
            "pyproject.toml alone, and `corral packages sync DATE --lock FILE` by such a file.\n",
        .options = OPTIONS,
    };
    struct project project = {0};
    struct packages_line line;
    struct err err = {0};
    int code = packages_begin(&SPEC, args, &line);

    if (code != PACKAGES_GO)
        return code;
    if (load(&line, &project, &err) < 0)
        code = err.text[0] ? cli_fail(&err, 1) : 1;
    else
        code = lock(&line, &project);
    project_done(&project);
    return code;
}
