/* deploy.c - `corral deploy`: send a project to a node, and let it answer there.
 *
 *     project -> files, metadata -> [databases by name] -> PUT scripts/NAME -> routes, host, crons
 *
 * The script is PUT rather than uploaded as a version and deployed: one request makes the version,
 * checks it on the node and switches to it, or changes nothing, so that no deploy stops halfway; it
 * is the same for the first deploy and the hundredth; and each request costs the node a commit on
 * the disk.  Secrets are kept by keep_bindings. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/deploy_options.h"
#include "cli/parcel.h"
#include "cli/remote.h"
#include "cli/triggers.h"

/* 32 digits to a dashed uuid, as wrangler prints it. */
static void print_version(json_t *result)
{
    const char *id = json_string_value(json_object_get(result, "deployment_id"));

    if (!id)
        id = json_string_value(json_object_get(result, "version_id"));
    if (id && strlen(id) == 32)
        printf("Current Version ID: %.8s-%.4s-%.4s-%.4s-%.12s\n", id, id + 8, id + 12, id + 16,
               id + 20);
    else
        printf("Current Version ID: %s\n", id ? id : "?");
}

static int print_uploaded(const struct parcel *p, const struct remote *r, json_t *result,
                          int64_t begun_ms, struct err *err)
{
    json_t *startup = json_object_get(result, "startup_time_ms");
    int code;

    if (json_is_number(startup))
        printf("Worker Startup Time: %.0f ms\n", json_number_value(startup));
    code = parcel_print_bindings(p, r, err);
    if (code == 0)
        printf("Uploaded %s (%.2f sec)\n", r->name, (double)(clock_now_ms() - begun_ms) / 1000);
    fflush(stdout);
    return code;
}

static int upload(struct parcel *p, struct remote *r, const struct deploy_options *o,
                  struct err *err)
{
    int64_t begun = clock_now_ms();
    struct client_answer answer = {0};
    char path[400];
    int code = remote_connect(r, err);

    if (code == 0)
        code = parcel_fill(p, r, err);
    snprintf(path, sizeof path, "/scripts/%s?excludeScript=true&bindings_inherit=strict", r->name);
    if (code == 0)
        code = parcel_send(p, r, "PUT", path, &answer, err);
    if (code == 0)
        code = print_uploaded(p, r, answer.result, begun, err);
    if (code == 0)
        code = triggers_set(r, o, err);
    if (code == 0)
        print_version(answer.result);
    client_answer_done(&answer);
    return code;
}

static int deploy(struct remote *r, struct deploy_options *o, struct err *err)
{
    struct parcel p = {0};
    int code = deploy_options_pack(o, r, &p, err);

    if (code == 0)
        code = triggers_check(r, o, err);
    if (code == 0)
        code = o->is_dry ? parcel_print_bindings(&p, r, err) : upload(&p, r, o, err);
    if (code == 0 && o->is_dry)
        printf("--dry-run: exiting now.\n");
    parcel_done(&p);
    return code;
}

int deploy_command(char **args)
{
    struct option table[DEPLOY_OPTIONS_MAX + 1];
    const struct remote_spec SPEC = {
        .usage = "deploy [PROJECT]",
        .about =
            "Send the project in the folder PROJECT (this one by default), or the worker whose\n"
            "main file is PROJECT, to a node. It is started there once; when that goes well it\n"
            "answers in place of the version before, else nothing changes.\n",
        .words = "[PROJECT]",
        .options = table,
        .lists = DEPLOY_LISTS,
        .take = deploy_options_take,
        .need = REMOTE_UPLOAD,
    };
    static struct deploy_options options; /* large */
    struct err err = {0};
    struct remote r;
    int code;

    deploy_options_table(DEPLOY_LIVE, table);
    code = remote_parse(&SPEC, args, &options, &r);
    return code == REMOTE_GO ? remote_end(&r, deploy(&r, &options, &err), &err) : code;
}
