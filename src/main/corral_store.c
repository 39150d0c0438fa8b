/* corral_store.c - wiring only: `corral-store FOLDER ...`, started by corral, never by a person. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "store/engine.h"
#include "store/store.h"

enum { CONTROL_FD = 3 }; /* where the node puts our end of the socket */

int main(int argc, char **argv)
{
    struct store_options options;
    struct err err = {0};

    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("corral-store %s (SQLite %s)\n", CORRAL_VERSION, engine_version()) < 0;
    if (argc < 2 || fcntl(CONTROL_FD, F_GETFD) < 0) {
        fprintf(stderr, "corral-store holds a D1 database of a Corral node; `corral` starts it.\n");
        return 2;
    }
    if (store_options_parse(argc, argv, &options, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    store_main(&options, CONTROL_FD);
}
