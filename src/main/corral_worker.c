/* corral_worker.c - wiring only: `corral-worker zygote`, `corral-worker toml`,
 * `corral-worker packages`.
 *
 * All are started by corral, never by a person. */
#include <stdio.h>
#include <string.h>

#include "realm/packages.h"
#include "realm/toml.h"
#include "worker/worker.h"

enum { CONTROL_FD = 3 }; /* where the node puts the zygote's socket */

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "zygote") == 0)
        zygote_main(CONTROL_FD);
    if (argc == 2 && strcmp(argv[1], "toml") == 0)
        return toml_main();
    if (argc == 2 && strcmp(argv[1], "packages") == 0)
        return packages_main();
    fprintf(stderr, "corral-worker runs the workers of a Corral node; `corral` starts it.\n");
    return 2;
}
