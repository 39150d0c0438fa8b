/* corral.c - wiring only: the command line and the node. */
#include "cli/cli.h"

int main(int argc, char **argv) { return cli_main(argc, argv); }
