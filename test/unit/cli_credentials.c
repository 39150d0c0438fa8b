/* cli_credentials.c - src/cli/credentials.c: which API, which token, and who may read the file. */
#include "cli/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "test.h"

static char home[64];

static void begin(void)
{
    static const char *const NAMES[] = {
        "CORRAL_API_URL",    "CLOUDFLARE_API_BASE_URL", "CORRAL_API_TOKEN", "CLOUDFLARE_API_TOKEN",
        "CORRAL_ACCOUNT_ID", "CLOUDFLARE_ACCOUNT_ID"};

    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        unsetenv(NAMES[i]);
    snprintf(home, sizeof home, "/tmp/corral-credentials-XXXXXX");
    CHECK(mkdtemp(home) != NULL);
    setenv("XDG_CONFIG_HOME", home, 1);
}

static void end(void)
{
    char path[160];
    struct err err;

    (void)!credentials_forget(&err);
    snprintf(path, sizeof path, "%s/corral", home);
    rmdir(path);
    CHECK(rmdir(home) == 0); /* no temporary file is left */
}

static void check_api(const char *text, const char *wanted)
{
    struct err err = {0};
    char *api = NULL;
    int r = credentials_api("CORRAL_API_URL", text, &api, &err);

    CHECK(wanted ? r == 0 && strcmp(api, wanted) == 0 : r == ERR_INVALID);
    if (r == 0 && wanted && strcmp(api, wanted) != 0)
        printf("  %s\n", api);
    if (r == 0)
        mem_free(api);
}

static void takes_addresses_as_people_write_them(void)
{
    check_api("http://127.0.0.1:8788", "http://127.0.0.1:8788/client/v4");
    check_api("http://127.0.0.1:8788/", "http://127.0.0.1:8788/client/v4");
    check_api("http://127.0.0.1:8788/client/v4", "http://127.0.0.1:8788/client/v4");
    check_api("https://API.example.com/client/v4/", "https://api.example.com/client/v4");
    check_api("https://example.com/corral", "https://example.com/corral/client/v4");
    check_api("127.0.0.1:8788", NULL);
    check_api("localhost:8788", NULL);
    check_api("ftp://example.com", NULL);
    check_api("https://me:secret@example.com", NULL);
    check_api("https://example.com/?x=1", NULL);
    check_api("", NULL);
}

static void check_found(const char *configured, const char *api, const char *token,
                        const char *account)
{
    struct credentials c;
    struct err err = {0};
    int r = credentials_find(configured, &c, &err);

    CHECK(r == 0);
    if (r < 0) {
        printf("  %s\n", err.text);
        return;
    }
    CHECK(strcmp(c.api, api) == 0);
    CHECK(strcmp(c.token, token) == 0);
    CHECK(strcmp(c.account, account) == 0);
    credentials_done(&c);
}

#define A "http://a.example/client/v4"
#define B "http://b.example/client/v4"

static void chooses_what_is_nearest(void)
{
    struct credentials c;
    struct err err = {0};

    begin();
    CHECK(credentials_find(NULL, &c, &err) == ERR_NOT_FOUND);
    CHECK(strstr(err.hint, "CORRAL_API_URL") && strstr(err.hint, "corral login"));
    CHECK(credentials_store(A, "stored", "aa", &err) == 0);
    check_found(NULL, A, "stored", "aa");
    check_found("bb", A, "stored", "bb");
    setenv("CORRAL_ACCOUNT_ID", "cc", 1);
    check_found("bb", A, "stored", "cc");
    unsetenv("CORRAL_ACCOUNT_ID");
    setenv("CORRAL_API_TOKEN", "mine", 1);
    check_found(NULL, A, "mine", "aa");
    setenv("CORRAL_API_URL", "http://b.example", 1);
    check_found(NULL, B, "mine", "");
    setenv("CLOUDFLARE_API_BASE_URL", A, 1);
    setenv("CLOUDFLARE_API_TOKEN", "other", 1);
    check_found(NULL, B, "mine", "");
    unsetenv("CORRAL_API_TOKEN");
    check_found(NULL, B, "other", "");
    unsetenv("CORRAL_API_URL");
    check_found(NULL, A, "other", "aa");
    end();
}

static void gives_a_token_to_nobody_else(void)
{
    struct credentials c;
    struct err err = {0};

    begin();
    CHECK(credentials_store(A, "stored", "aa", &err) == 0);
    setenv("CLOUDFLARE_API_TOKEN", "of-cloudflare", 1); /* and not of the node that is stored */
    check_found(NULL, A, "stored", "aa");
    unsetenv("CLOUDFLARE_API_TOKEN");
    setenv("CORRAL_API_URL", "http://b.example", 1);
    CHECK(credentials_find(NULL, &c, &err) == ERR_NOT_FOUND);
    CHECK(strstr(err.text, "there is no token for " B));
    setenv("CORRAL_API_TOKEN", "with a space", 1);
    CHECK(credentials_find(NULL, &c, &err) == ERR_INVALID);
    CHECK(!strstr(err.text, "with a"));
    end();
}

static void keeps_the_store_to_its_owner(void)
{
    struct credentials c;
    struct err err = {0};
    struct stat st;
    char folder[160], *path;

    begin();
    CHECK(credentials_store(A, "stored", "", &err) == 0);
    CHECK(credentials_store(A, "stored again", "", &err) == 0);
    path = credentials_path();
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    snprintf(folder, sizeof folder, "%s/corral", home);
    CHECK(stat(folder, &st) == 0 && (st.st_mode & 07777) == 0700);
    CHECK(chmod(path, 0644) == 0);
    CHECK(credentials_find(NULL, &c, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "by others"));
    CHECK(chmod(path, 0600) == 0 && truncate(path, 20) == 0);
    CHECK(credentials_find(NULL, &c, &err) == ERR_INVALID);
    CHECK(strstr(err.text, "corral login"));
    CHECK(credentials_forget(&err) == 1);
    CHECK(credentials_forget(&err) == 0);
    mem_free(path);
    end();
}

static void survives_without_memory(void)
{
    struct credentials c;
    struct err err = {0};
    int r = ERR_NOMEM;

    begin();
    CHECK(credentials_store(A, "stored", "aa", &err) == 0);
    for (long n = 0; r != 0 && n < 100; n++) {
        mem_fail_after(n);
        r = credentials_find("bb", &c, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM || r == ERR_NOT_FOUND);
        if (r == 0)
            credentials_done(&c);
    }
    CHECK(r == 0);
    end();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"takes_addresses_as_people_write_them", takes_addresses_as_people_write_them},
        {"chooses_what_is_nearest", chooses_what_is_nearest},
        {"gives_a_token_to_nobody_else", gives_a_token_to_nobody_else},
        {"keeps_the_store_to_its_owner", keeps_the_store_to_its_owner},
        {"survives_without_memory", survives_without_memory},
        {0},
    };
    return test_main("cli_credentials", TESTS, argc, argv);
}
