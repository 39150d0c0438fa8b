/* versions_upload.c - `corral versions upload [PROJECT]`: a version that does not answer yet. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/deploy_options.h"
#include "cli/history.h"
#include "cli/parcel.h"
#include "cli/remote.h"
#include "cli/versions.h"

static int send(struct parcel *p, struct remote *r, struct err *err)
{
    int64_t begun = clock_now_ms();
    struct client_answer answer = {0};
    char path[400];
    json_t *startup;
    int code = remote_connect(r, err);

    if (code == 0)
        code = parcel_fill(p, r, err);
    snprintf(path, sizeof path, "/scripts/%s/versions?bindings_inherit=strict", r->name);
    if (code == 0)
        code = parcel_send(p, r, "POST", path, &answer, err);
    if (code < 0) {
        code = remote_explain(r, &answer, err);
        goto done;
    }
    startup = json_object_get(answer.result, "startup_time_ms");
    if (json_is_number(startup))
        printf("Worker Startup Time: %.0f ms\n", json_number_value(startup));
    code = parcel_print_bindings(p, r, err);
    if (code == 0)
        printf("Uploaded %s (%.2f sec)\nWorker Version ID: %s\n\n"
               "To deploy this version to production traffic use the command "
               "`corral versions deploy`\n",
               r->name, (double)(clock_now_ms() - begun) / 1000,
               history_text(answer.result, "id", NULL));
done:
    client_answer_done(&answer);
    return code;
}

static int upload(struct remote *r, struct deploy_options *o, struct err *err)
{
    struct parcel p = {0};
    int code = deploy_options_pack(o, r, &p, err);

    if (code == 0)
        code = o->is_dry ? parcel_print_bindings(&p, r, err) : send(&p, r, err);
    if (code == 0 && o->is_dry)
        printf("--dry-run: exiting now.\n");
    parcel_done(&p);
    return code;
}

int versions_upload(char **args)
{
    struct option table[DEPLOY_OPTIONS_MAX + 1];
    const struct remote_spec SPEC = {
        .usage = "versions upload [PROJECT]",
        .about = "Send a project to a node as a new version of its worker, which is started there\n"
                 "once, but does not answer before `corral versions deploy`.\n",
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

    deploy_options_table(DEPLOY_VERSION, table);
    code = remote_parse(&SPEC, args, &options, &r);
    return code == REMOTE_GO ? remote_end(&r, upload(&r, &options, &err), &err) : code;
}
