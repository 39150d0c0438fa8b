/* corral_worker.c - wiring only: `corral-worker zygote`, `corral-worker toml`,
 * `corral-worker packages`, `corral-worker confine`, `corral-worker --version`.
 *
 * All are started by corral, never by a person. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "box/confine.h"
#include "box/launch.h"
#include "cli/cli.h"
#include "realm/packages.h"
#include "realm/realm.h"
#include "realm/toml.h"
#include "worker/worker.h"

enum {
    CONTROL_FD = 3, /* where the node puts the zygote's socket */
    CPU_MAX_S = 15 * 60,
};
#define TOML_MEMORY_MAX     (1ULL << 30)
#define PACKAGES_MEMORY_MAX (8ULL << 30)
#define PACKAGES_FILE_MAX   (2ULL << 30)

static unsigned layers = BOX_BIT(BOX_SECCOMP);
static unsigned uid; /* of the packager; 0: it stays who it is */

static int enter_reader(struct err *err)
{
    const struct box_walls walls = {.stage = BOX_READER,
                                    .layers = layers,
                                    .uid = BOX_UID_LAST,
                                    .memory_bytes = TOML_MEMORY_MAX};

    return box_confine(&walls, err);
}

static int enter_packager(const struct packages_walls *w, struct err *err)
{
    const struct box_walls walls = {.stage = BOX_PACKAGER,
                                    .layers = layers,
                                    .uid = uid,
                                    .reads = w->reads,
                                    .owns = w->owns,
                                    .writes = w->writes,
                                    .has_local_sockets = w->has_local_sockets,
                                    .memory_bytes = PACKAGES_MEMORY_MAX,
                                    .file_bytes = PACKAGES_FILE_MAX,
                                    .cpu_seconds = CPU_MAX_S};

    return box_confine(&walls, err);
}

static int take_uid(const char *argument)
{
    char *end;
    unsigned long n = strtoul(argument, &end, 10);

    if (*end || argument[0] < '0' || argument[0] > '9' || n == 0 || n > INT32_MAX) {
        fprintf(stderr, "corral-worker: '%s' is no user id\n", argument);
        return -1;
    }
    uid = (unsigned)n;
    return 0;
}

/* "--box=LAYERS", or nothing: then seccomp alone; behind it "--uid=N". */
static int take_box(char **arguments)
{
    const char *argument = arguments[0];
    struct err err = {0};

    if (!argument)
        return 0;
    if (arguments[1] && (strncmp(arguments[1], "--uid=", 6) != 0 || take_uid(arguments[1] + 6) < 0))
        return -1;
    if (strncmp(argument, "--box=", 6) == 0 &&
        box_layers_get(span_of(argument + 6), &layers, &err) == 0)
        return 0;
    fprintf(stderr, "corral-worker: '%s' is no box%s%s\n", argument, err.text[0] ? ": " : "",
            err.text);
    return -1;
}

int main(int argc, char **argv)
{
    struct worker_box box;
    struct err err = {0};

    if (argc >= 2 && strcmp(argv[1], "zygote") == 0) {
        if (worker_box_parse(argv + 2, &box, &err) == 0)
            zygote_main(CONTROL_FD, &box);
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    if ((argc == 2 || argc == 3) && strcmp(argv[1], "toml") == 0)
        return take_box(argv + 2) < 0 ? 2 : toml_main(enter_reader);
    if (argc >= 2 && argc <= 4 && strcmp(argv[1], "packages") == 0)
        return take_box(argv + 2) < 0 ? 2 : packages_main(enter_packager);
    if (argc >= 2 && strcmp(argv[1], "confine") == 0) {
        (void)!box_launch(argv + 2, &err);
        fprintf(stderr, "%s\n", err.text);
        _exit(2); /* in the box, perhaps, where nothing of an orderly end is left */
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("corral-worker %s (Python %s, %s)\n", CORRAL_VERSION, realm_python_version(),
                      realm_javascript_version()) < 0;
    fprintf(stderr, "corral-worker runs the workers of a Corral node; `corral` starts it.\n");
    return 2;
}
