/* backup.c - `corral backup TO`: a copy of a data folder, while its node serves. */
#include "catalog/backup.h"

#include <stdio.h>

#include "cli/cli.h"
#include "cli/ledger.h"
#include "cli/table.h"

int backup_command(char **args)
{
    static const struct ledger_spec SPEC = {
        .usage = "backup TO",
        .about =
            "Copy a data folder to the new folder TO, also while its node serves: the catalog, "
            "the\n"
            "files of versions, databases and KV namespaces, each as it was at one moment.\n"
            "`corral serve --data TO` starts from it.  The key that seals secrets is not in it:\n"
            "keep secrets.key somewhere else, and put it back for that.\n",
        .word = "TO",
    };
    struct catalog *catalog = NULL;
    struct backup backup = {0};
    struct err err = {0};
    struct ledger l;
    char size[32];
    int code = ledger_begin(&SPEC, args, &l), r;

    if (code != LEDGER_GO)
        return code;
    r = ledger_open(&l, &catalog, &err);
    if (r == 0)
        r = backup_make(catalog, l.word, &backup, &err);
    catalog_close(catalog);
    if (r < 0)
        return cli_fail(&err, 1);
    table_bytes((double)backup.bytes, size);
    printf("The backup is in '%s': the catalog, %lld bundle%s, %lld database%s, %s.\n"
           "The key that seals secrets is not in it: keep '%s/secrets.key' somewhere else.\n",
           l.word, (long long)backup.bundles, backup.bundles == 1 ? "" : "s",
           (long long)backup.databases, backup.databases == 1 ? "" : "s", size, l.data);
    return 0;
}
