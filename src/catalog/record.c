/* record.c - see record.h. */
#include "catalog/record.h"

#include <string.h>

#include "catalog/query.h"

int record_need_account(struct catalog *catalog, const char *account_id, struct err *err)
{
    int64_t one;
    int r =
        query_number(catalog, &one, err, "SELECT 1 FROM accounts WHERE id = ?", "t", account_id);

    return r == ERR_NOT_FOUND
               ? err_set(err, ERR_NOT_FOUND, "there is no account '%.64s'", account_id)
               : r;
}

int record_need_worker(struct catalog *catalog, const char *account_id, const char *worker_id,
                       struct err *err)
{
    int64_t one;
    int r = query_number(catalog, &one, err,
                         "SELECT 1 FROM workers WHERE id = ?1 AND (?2 IS NULL OR account_id = ?2)",
                         "tt", worker_id, account_id);

    return r == ERR_NOT_FOUND ? err_set(err, ERR_NOT_FOUND, "there is no worker '%.64s'", worker_id)
                              : r;
}

bool record_is_among(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i], text) == 0)
            return true;
    return false;
}
