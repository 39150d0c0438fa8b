/* catalog_bundles.c - src/catalog/bundles.c: files by their content, whatever they are called. */
#include "catalog/bundles.h"

#include <dirent.h>

#include "catalog/worker.h"
#include "catalog_open.h"

#define PART(name, type, bytes) \
    {{name, strlen(name)}, {type, strlen(type)}, {bytes, strlen(bytes)}, {"", 0}}

/* Entries of data/bundles, whatever they are called. */
static int entries(void)
{
    DIR *dir = opendir("data/bundles");
    int n = -2;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static int put_one(struct catalog *c, const char *name, const char *bytes, char *hash,
                   struct err *err)
{
    struct bundle_part part = PART(name, "text/x-python", bytes);

    return bundles_put(c, &part, 1, hash, NULL, err);
}

static void keeps_files_by_their_content(void)
{
    struct bundle_part parts[] = {PART("src/entry.py", "text/x-python", "pass"),
                                  PART("b/c/d.txt", "", ""), PART("b.c", "x/y", "z"),
                                  PART("本/データ", "text/plain; charset=\"utf-8\"", "\1\2")};
    char hash[BUNDLE_HASH_SIZE], again[BUNDLE_HASH_SIZE], *folder = NULL, path[PATH_MAX + 200];
    struct catalog *c = catalog_of_test();
    struct bundle_files files = {0};
    struct err err = {0};
    uint64_t bytes = 0;
    struct stat st;

    CHECK(bundles_put(c, parts, 4, hash, &bytes, &err) == 0 && bytes == 7);
    CHECK(strlen(hash) == 64);
    CHECK(bundles_folder(c, hash, &folder, &err) == 0);
    snprintf(path, sizeof path, "%s/data/bundles/%s/files", tree_path, hash);
    CHECK(strcmp(folder, path) == 0);
    snprintf(path, sizeof path, "%s/b/c/d.txt", folder);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0400 && st.st_size == 0);
    mem_free(folder);
    CHECK(bundles_read(c, hash, &files, &err) == 0 && files.count == 4);
    for (size_t i = 0; i < files.count; i++) {
        CHECK(span_is(parts[i].name, files.items[i].name));
        CHECK(span_is(parts[i].type, files.items[i].type));
        CHECK(files.items[i].len == parts[i].bytes.len &&
              memcmp(files.items[i].bytes, parts[i].bytes.data, files.items[i].len) == 0);
    }
    bundle_files_done(&files);
    CHECK(bundles_put(c, parts, 4, again, NULL, &err) == 0 && strcmp(hash, again) == 0);
    CHECK(entries() == 1);
    /* Another order, another type, bytes that moved over: all of them are others. */
    CHECK(bundles_put(c, parts + 1, 3, again, NULL, &err) == 0 && strcmp(hash, again) != 0);
    parts[0].type = SPAN("text/x-pytho");
    parts[0].bytes = SPAN("npass");
    CHECK(bundles_put(c, parts, 4, again, NULL, &err) == 0 && strcmp(hash, again) != 0);
    CHECK(bundles_put(c, NULL, 0, again, &bytes, &err) == 0 && bytes == 0);
    CHECK(bundles_read(c, again, &files, &err) == 0 && files.count == 0);
    bundle_files_done(&files);
    CHECK(entries() == 4);
    CHECK(bundles_folder(c, "..", &folder, &err) == ERR_NOT_FOUND);
    hash[0] = hash[0] == 'a' ? 'b' : 'a';
    CHECK(bundles_folder(c, hash, &folder, &err) == ERR_NOT_FOUND);
    CHECK(bundles_read(c, hash, &files, &err) == ERR_NOT_FOUND);
    CHECK(bundles_read(c, "../data", &files, &err) == ERR_NOT_FOUND);
    catalog_close_test(c);
}

static void refuses_names_that_lead_elsewhere(void)
{
    static const char *const BAD[] = {"",     ".",      "..",     "/etc/passwd", "a/../b", "../a", "a//b",
                                      "a/",   "./a",    "a/.",    "a\nb",        "\xff",   "a/..", "\xc0\xaf",
                                      "\x7f", "a\x1b[", "\xed\xa0\x80"};
    char hash[BUNDLE_HASH_SIZE], name[BUNDLE_PATH_MAX + 8];
    struct catalog *c = catalog_of_test();
    struct bundle_part nul = {{"a\0b", 3}, {"", 0}, {"", 0}, {"", 0}};
    struct bundle_part type = {{"a", 1}, {"a\0b", 3}, {"", 0}, {"", 0}};
    struct err err = {0};

    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        CHECK(put_one(c, BAD[i], "", hash, &err) == ERR_INVALID);
    CHECK(bundles_put(c, &nul, 1, hash, NULL, &err) == ERR_INVALID);
    CHECK(bundles_put(c, &type, 1, hash, NULL, &err) == ERR_INVALID);
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    CHECK(put_one(c, name, "", hash, &err) == ERR_INVALID);
    name[255] = '\0';
    CHECK(put_one(c, name, "", hash, &err) == 0);
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 2 ? '/' : 'x';
    name[2 * BUNDLE_DEPTH_MAX + 1] = '\0';
    CHECK(put_one(c, name, "", hash, &err) == 0);
    name[2 * BUNDLE_DEPTH_MAX + 1] = '/';
    name[2 * BUNDLE_DEPTH_MAX + 3] = '\0';
    CHECK(put_one(c, name, "", hash, &err) == ERR_LIMIT);
    CHECK(entries() == 2);
    catalog_close_test(c);
}

static void refuses_files_in_each_others_way(void)
{
    struct bundle_part twice[] = {PART("a", "", ""), PART("b", "", ""), PART("a", "", "")};
    struct bundle_part inside[] = {PART("a/b/c", "", ""), PART("a-", "", ""), PART("a/b", "", "")};
    struct bundle_part beside[] = {PART("a-b", "", ""), PART("a.b", "", ""), PART("a/b", "", ""),
                                   PART("ab", "", "")};
    char hash[BUNDLE_HASH_SIZE];
    struct catalog *c = catalog_of_test();
    struct err err = {0};

    CHECK(bundles_put(c, twice, 3, hash, NULL, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "the file 'a' is there twice") == 0);
    CHECK(bundles_put(c, inside, 3, hash, NULL, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "'a/b' is a file, and a folder of 'a/b/c'") == 0);
    CHECK(bundles_put(c, beside, 4, hash, NULL, &err) == 0);
    CHECK(bundles_put(c, twice, BUNDLE_PARTS_MAX + 1, hash, NULL, &err) == ERR_LIMIT);
    beside[0].bytes = (struct span){"", BUNDLE_PARTS_BYTES_MAX + 1};
    CHECK(bundles_put(c, beside, 4, hash, NULL, &err) == ERR_LIMIT);
    CHECK(entries() == 1);
    catalog_close_test(c);
}

static void puts_many_files(void)
{
    enum { MANY = 1000 };
    struct bundle_part *parts = mem_alloc(MANY * sizeof *parts);
    char(*names)[32] = mem_alloc(MANY * sizeof *names), hash[BUNDLE_HASH_SIZE];
    struct catalog *c = catalog_of_test();
    struct bundle_files files = {0};
    struct err err = {0};

    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "python_modules/m%d/__init__.py", i);
        parts[i] = (struct bundle_part){span_of(names[i]), {"", 0}, span_of(names[i]), {"", 0}};
    }
    CHECK(bundles_put(c, parts, MANY, hash, NULL, &err) == 0);
    CHECK(bundles_read(c, hash, &files, &err) == 0 && files.count == MANY);
    CHECK(strcmp(files.items[MANY - 1].bytes, names[MANY - 1]) == 0);
    bundle_files_done(&files);
    mem_free(names);
    mem_free(parts);
    catalog_close_test(c);
}

static void make_old(const char *name)
{
    struct timespec times[2] = {{.tv_sec = clock_wall_ms() / 1000 - BUNDLE_KEPT_S - 2}};
    char path[200];

    times[1] = times[0];
    snprintf(path, sizeof path, "data/bundles/%s", name);
    CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
}

static bool is_there(const char *hash)
{
    char path[200];
    struct stat st;

    snprintf(path, sizeof path, "data/bundles/%s", hash);
    return stat(path, &st) == 0;
}

static void sweeps_what_nobody_names(void)
{
    char named[BUNDLE_HASH_SIZE], old[BUNDLE_HASH_SIZE], young[BUNDLE_HASH_SIZE];
    struct catalog *c = catalog_of_test();
    struct version draft = {.bundle = named}, made = {0};
    struct worker w = {0};
    struct err err = {0};

    CHECK(bundles_sweep(c, &err) == 0); /* nothing was ever put */
    CHECK(worker_need(c, catalog_account(c, "a"), "w", &w, NULL, &err) == 0);
    CHECK(put_one(c, "a", "named", named, &err) == 0);
    CHECK(put_one(c, "a", "old", old, &err) == 0);
    CHECK(put_one(c, "a", "young", young, &err) == 0);
    memcpy(draft.worker_id, w.id, ID_SIZE);
    CHECK(version_create(c, &draft, NULL, &made, &err) == 0);
    version_done(&made);
    tree_put("data/bundles/.new-0123/files/x/y", "half");
    tree_put("data/bundles/.new-4567/files/x/y", "half");
    tree_put("data/bundles/.gone-89ab/files/x/y", "half");
    tree_put("data/bundles/lost+found/x", "not ours");
    make_old(named);
    make_old(old);
    make_old(".new-0123");
    make_old("lost+found");
    CHECK(bundles_sweep(c, &err) == 0);
    CHECK(is_there(named) && !is_there(old) && is_there(young));
    CHECK(!is_there(".new-0123") && is_there(".new-4567") && !is_there(".gone-89ab"));
    CHECK(is_there("lost+found") && entries() == 4);
    /* What is put again, and what a worker lets go of, stays for an hour from then on. */
    make_old(young);
    CHECK(put_one(c, "a", "young", young, &err) == 0);
    CHECK(worker_delete(c, w.account_id, "w", &err) == 0);
    CHECK(bundles_sweep(c, &err) == 0);
    CHECK(is_there(named) && is_there(young));
    make_old(named);
    CHECK(bundles_sweep(c, &err) == 0 && !is_there(named));
    bundles_touch(c, named);
    bundles_touch(c, "");
    worker_done(&w);
    catalog_close_test(c);
}

static void notices_that_files_were_changed(void)
{
    static const char *const STRANGE[] = {"", "[", "{}x", "[1]", "[{\"name\": \"../../secrets.key\", \"type\": \"\"}]",
                                          "[{\"name\": \"missing\", \"type\": \"\"}]", "[{\"name\": \"a\"}]"};
    char hash[BUNDLE_HASH_SIZE], path[200];
    struct catalog *c = catalog_of_test();
    struct bundle_files files = {0};
    struct err err = {0};

    CHECK(put_one(c, "a", "b", hash, &err) == 0);
    snprintf(path, sizeof path, "data/bundles/%s/parts.json", hash);
    for (size_t i = 0; i < sizeof STRANGE / sizeof *STRANGE; i++) {
        unlink(path);
        tree_put(path, STRANGE[i]);
        CHECK(bundles_read(c, hash, &files, &err) == ERR_SYSTEM);
    }
    unlink(path);
    CHECK(symlink("/etc/passwd", path) == 0);
    CHECK(bundles_read(c, hash, &files, &err) == ERR_SYSTEM);
    catalog_close_test(c);
}

static void runs_out_of_memory_without_a_trace(void)
{
    struct bundle_part parts[] = {PART("a/b", "x/y", "1"), PART("c", "", "2")};
    char hash[BUNDLE_HASH_SIZE], *folder = NULL;
    struct catalog *c = catalog_of_test();
    struct bundle_files files = {0};
    struct err err = {0};

    WALK_NOMEM(bundles_put(c, parts, 2, hash, NULL, &err));
    CHECK(entries() == 1);
    WALK_NOMEM(bundles_read(c, hash, &files, &err));
    CHECK(files.count == 2);
    bundle_files_done(&files);
    WALK_NOMEM(bundles_folder(c, hash, &folder, &err));
    mem_free(folder);
    WALK_NOMEM(bundles_sweep(c, &err));
    catalog_close_test(c);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"keeps_files_by_their_content", keeps_files_by_their_content},
        {"refuses_names_that_lead_elsewhere", refuses_names_that_lead_elsewhere},
        {"refuses_files_in_each_others_way", refuses_files_in_each_others_way},
        {"puts_many_files", puts_many_files},
        {"sweeps_what_nobody_names", sweeps_what_nobody_names},
        {"notices_that_files_were_changed", notices_that_files_were_changed},
        {"runs_out_of_memory_without_a_trace", runs_out_of_memory_without_a_trace},
        {0},
    };

    return test_main("catalog_bundles", TESTS, argc, argv);
}
