/* project_bundle.c - src/project/bundle.c, inputs.c, watch.c, digest.c: the
 * right files, in a folder that stands for them and nothing else. */
#include "project/bundle.h"

#include <dirent.h>
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "project/digest.h"
#include "project_tree.h"
#include "test.h"

static struct project fixture(const char *main)
{
    static char state[PATH_MAX + 16];

    snprintf(state, sizeof state, "%s/.corral", tree_path);
    return (struct project){.folder = tree_path, .config = "", .state_folder = state, .env = "x",
                            .name = "w", .main = (char *)main};
}

static int is_there(const struct bundle *b, const char *inside)
{
    char path[2 * PATH_MAX];
    struct stat st;

    snprintf(path, sizeof path, "%s/%s", b->folder, inside);
    return stat(path, &st) == 0;
}

static struct bundle make(const struct project *p)
{
    struct bundle b = {0};
    struct err err = {0};

    CHECK(bundle_make(p, &b, &err) == 0);
    if (err.text[0])
        printf("  %s\n", err.text);
    return b;
}

static void takes_what_belongs_to_the_worker(void)
{
    static const char *const IN[] = {
        "src/entry.py", "src/lib/util.py", "src/data.bin", "python_modules/six.py",
        "python_modules/.hidden/x.py", "python_modules/venv/x.py",
    };
    static const char *const OUT[] = {
        "wrangler.toml", "README.md", ".dev.vars", "src/.env", "src/.git/x", "src/lib/util.pyc",
        "src/lib/__pycache__/util.cpython-311.pyc", "src/node_modules/x.js", "src/venv/x.py",
        "src/.venv/x.py", "python_modules/__pycache__/six.pyc", "other/x.py",
    };
    struct project p = fixture("src/entry.py");
    struct bundle b;

    tree_open();
    p = fixture("src/entry.py");
    for (size_t i = 0; i < sizeof IN / sizeof *IN; i++)
        tree_put(IN[i], IN[i]);
    for (size_t i = 0; i < sizeof OUT / sizeof *OUT; i++)
        tree_put(OUT[i], OUT[i]);
    b = make(&p);
    CHECK(b.files == sizeof IN / sizeof *IN);
    CHECK(strncmp(b.folder, p.state_folder, strlen(p.state_folder)) == 0);
    CHECK(strcmp(b.main, "src/entry.py") == 0);
    for (size_t i = 0; i < sizeof IN / sizeof *IN; i++)
        CHECK(is_there(&b, IN[i]));
    for (size_t i = 0; i < sizeof OUT / sizeof *OUT; i++)
        CHECK(!is_there(&b, OUT[i]));
    bundle_done(&b);
    tree_close();
}

static void takes_the_whole_folder_when_main_is_at_the_top(void)
{
    struct project p;
    struct bundle b;

    tree_open();
    p = fixture("entry.py");
    tree_put("entry.py", "");
    tree_put("wrangler.toml", "");
    tree_put("wrangler.jsonc", "");
    tree_put("lib/a.py", "");
    tree_put(".corral/x", "");
    tree_put("python_modules/six.py", "");
    b = make(&p);
    CHECK(b.files == 3 && is_there(&b, "entry.py") && is_there(&b, "lib/a.py"));
    CHECK(is_there(&b, "python_modules/six.py") && !is_there(&b, "wrangler.toml"));
    bundle_done(&b);
    tree_close();
}

static void names_a_folder_by_what_it_holds(void)
{
    struct project p;
    struct bundle first, second;
    struct stat st;
    char path[2 * PATH_MAX];

    tree_open();
    p = fixture("src/entry.py");
    tree_put("src/entry.py", "one");
    first = make(&p);
    second = make(&p);
    CHECK(strcmp(first.folder, second.folder) == 0);
    bundle_done(&second);

    tree_put("src/entry.py", "two");
    second = make(&p);
    CHECK(strcmp(first.folder, second.folder) != 0);
    CHECK(is_there(&first, "src/entry.py"));        /* the old one stays as it was */
    bundle_done(&second);

    /* The same bytes under another name are another bundle. */
    tree_put("src/entry.py", "one");
    tree_put("src/a.py", "x");
    second = make(&p);
    rename("src/a.py", "src/b.py");
    bundle_done(&first);
    first = make(&p);
    CHECK(strcmp(first.folder, second.folder) != 0);
    bundle_done(&second);

    /* A file that a power cut emptied is not taken for whole. */
    snprintf(path, sizeof path, "%s/src/entry.py", first.folder);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0400 && st.st_size == 3);
    chmod(path, 0644);
    CHECK(truncate(path, 0) == 0);
    second = make(&p);
    CHECK(strcmp(first.folder, second.folder) == 0);
    CHECK(stat(path, &st) == 0 && st.st_size == 3);
    bundle_done(&first);
    bundle_done(&second);
    tree_close();
}

static void follows_links_only_inside_the_project(void)
{
    struct project p;
    struct bundle b = {0};
    struct err err = {0};

    tree_open();
    p = fixture("src/entry.py");
    tree_put("src/entry.py", "");
    tree_put("shared/util.py", "x");
    CHECK(symlink("../shared", "src/shared") == 0);
    CHECK(symlink("../shared/util.py", "src/util.py") == 0);
    CHECK(symlink("nowhere", "src/broken.py") == 0);
    CHECK(mkfifo("src/pipe", 0600) == 0);
    b = make(&p);
    CHECK(b.files == 3 && is_there(&b, "src/shared/util.py") && is_there(&b, "src/util.py"));
    bundle_done(&b);

    CHECK(symlink(".", "src/self") == 0);
    CHECK(bundle_make(&p, &b, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "'src/self' is a link to a folder that it is in") == 0);
    unlink("src/self");

    CHECK(symlink("/etc/hostname", "src/host.txt") == 0);
    CHECK(bundle_make(&p, &b, &err) == ERR_INVALID);
    CHECK(strcmp(err.text, "'src/host.txt' is a link that leaves the project (/etc/hostname)") == 0);
    CHECK(err.hint[0]);
    tree_close();
}

static void names_the_biggest_when_there_is_too_much(void)
{
    char name[64];
    struct project p;
    struct bundle b = {0};
    struct err err = {0};
    int fd;

    tree_open();
    p = fixture("src/entry.py");
    tree_put("src/entry.py", "");
    tree_put("src/model.bin", "");
    CHECK(truncate("src/model.bin", (256 << 20) + 1) == 0);
    CHECK(bundle_make(&p, &b, &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "the worker's files are larger than 256 MiB; the biggest is "
                           "'src/model.bin' with 256.0 MiB") == 0);
    unlink("src/model.bin");
    mkdir("src/many", 0755);
    for (int i = 0; i <= BUNDLE_FILES_MAX; i++) {
        snprintf(name, sizeof name, "src/many/%d", i);
        fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
    }
    CHECK(bundle_make(&p, &b, &err) == ERR_LIMIT);
    CHECK(strcmp(err.text, "the worker has more than 20000 files; most are in 'src/many'") == 0);
    tree_close();
}

static int entries(const char *folder)
{
    DIR *dir = opendir(folder);
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n - 2;
}

static void removes_only_bundles_that_nobody_holds(void)
{
    char bundles[PATH_MAX + 32], extra[PATH_MAX + 64];
    struct bundle first, again, second, wrong = {.fd = -1};
    struct err err = {0};
    struct project p;

    tree_open();
    p = fixture("src/entry.py");
    snprintf(bundles, sizeof bundles, "%s/bundles", p.state_folder);
    tree_put("src/entry.py", "one");
    first = make(&p);
    again = make(&p);
    tree_put("src/entry.py", "two");
    second = make(&p);
    CHECK(entries(bundles) == 2);
    CHECK(bundle_remove(&first, &err) == 0 && !first.folder);
    CHECK(is_there(&again, "src/entry.py"));
    bundle_sweep(p.state_folder);
    CHECK(is_there(&again, "src/entry.py") && is_there(&second, "src/entry.py"));
    CHECK(bundle_remove(&again, &err) == 0);
    CHECK(entries(bundles) == 1 && is_there(&second, "src/entry.py"));
    wrong.folder = mem_strdup(tree_path);
    CHECK(bundle_remove(&wrong, &err) == ERR_INVALID);
    snprintf(extra, sizeof extra, "%s/.new-999999999/src/x", bundles);
    tree_put(extra, "x");
    snprintf(extra, sizeof extra, "%s/somebody's", bundles);
    tree_put(extra, "x");
    tree_put("src/entry.py", "one");
    first = make(&p);
    bundle_done(&first);
    bundle_sweep(p.state_folder);
    CHECK(entries(bundles) == 2);       /* the second and somebody's */
    CHECK(is_there(&second, "src/entry.py"));
    bundle_done(&second);
    tree_close();
}

static void copes_without_memory(void)
{
    struct project p;
    struct bundle b = {0};
    struct err err = {0};
    int r = ERR_NOMEM, n;

    tree_open();
    p = fixture("src/entry.py");
    tree_put("src/entry.py", "");
    tree_put("src/lib/x.py", "x");
    CHECK(symlink("lib", "src/link") == 0);
    for (n = 0; n < 5000 && r != 0; n++) {
        mem_fail_after(n);
        r = bundle_make(&p, &b, &err);
        mem_fail_after(-1);
        CHECK(r == 0 || r == ERR_NOMEM);
        CHECK(r == 0 || !b.folder);
    }
    CHECK(r == 0 && n > 20 && b.files == 3);
    bundle_done(&b);
    tree_close();
}

static void is_quick(void)
{
    char name[64], text[4000];
    struct project p;
    struct bundle b;
    int64_t cold_us, warm_us, at;

    tree_open();
    p = fixture("src/entry.py");
    memset(text, '#', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    tree_put("src/entry.py", text);
    for (int i = 0; i < 19; i++) {
        snprintf(name, sizeof name, "src/pkg%d/m%d.py", i % 4, i);
        tree_put(name, text);
    }
    at = clock_now_us();
    b = make(&p);
    cold_us = clock_now_us() - at;
    bundle_done(&b);
    at = clock_now_us();
    b = make(&p);
    warm_us = clock_now_us() - at;
    CHECK(b.files == 20);
    /* Far above what it takes (1.5 and 0.6 ms), as machines are busy at times. */
    CHECK(cold_us < 200 * 1000 && warm_us < 200 * 1000);
    if (getenv("SHOW_TIMES"))
        printf("  20 files: new %ld us, known %ld us\n", (long)cold_us, (long)warm_us);
    bundle_done(&b);
    tree_close();
}

/* ---- watching ---- */

static int ignores(const struct project *p, const char *inside)
{
    char path[2 * PATH_MAX];

    snprintf(path, sizeof path, "%s%s%s", tree_path, inside[0] ? "/" : "", inside);
    return project_ignores(p, path);
}

static void knows_which_changes_matter(void)
{
    static const char *const MATTER[] = {
        "", "app", "app/src", "app/src/entry.py", "app/src/new.txt", "app/src/lib/x.py",
        "python_modules", "python_modules/six.py", "python_modules/.x/y", "wrangler.toml",
        "wrangler.json", "wrangler.jsonc", ".dev.vars", ".dev.vars.x", ".env", ".env.local",
        ".env.x", ".env.x.local",
    };
    static const char *const OVERLOOKED[] = {
        "README.md", "ap", "app/other", "app/other/src", "app/srcs", "application", "test/x.py",
        ".dev.vars.y", ".env.y", ".env.xy", ".git", ".git/HEAD", ".corral", ".corral/bundles/x",
        ".wrangler/x", "app/src/.hidden", "app/src/__pycache__", "app/src/__pycache__/x.pyc",
        "app/src/x.pyc", "app/src/node_modules", "app/src/node_modules/a/b.py", "app/src/venv",
        "python_modules/__pycache__/six.pyc", "app/src/.entry.py.swp", "sub/wrangler.toml",
    };
    struct project p;

    tree_open();
    p = fixture("app/src/entry.py");
    for (size_t i = 0; i < sizeof MATTER / sizeof *MATTER; i++) {
        CHECK(!ignores(&p, MATTER[i]));
        if (ignores(&p, MATTER[i]))
            printf("  %s\n", MATTER[i]);
    }
    for (size_t i = 0; i < sizeof OVERLOOKED / sizeof *OVERLOOKED; i++) {
        CHECK(ignores(&p, OVERLOOKED[i]));
        if (!ignores(&p, OVERLOOKED[i]))
            printf("  %s\n", OVERLOOKED[i]);
    }
    CHECK(project_ignores(&p, "/etc/passwd"));
    p.main = NULL;
    CHECK(!ignores(&p, "any/thing.py") && ignores(&p, "a/.git/x") && ignores(&p, ".corral/x"));
    p.main = (char *)"entry.py";
    CHECK(!ignores(&p, "any/thing.py") && ignores(&p, "any/node_modules") && !ignores(&p, "entry.py"));
    tree_close();
}

static void names_the_folders_to_watch(void)
{
    char path[PATH_MAX + 64];
    struct watch_roots roots;
    struct project p;

    tree_open();
    p = fixture("src/entry.py");
    tree_put("src/entry.py", "");
    CHECK(project_watch_roots(&p, &roots) == 0);
    CHECK(roots.count == 2 && roots.items[0].kind == WATCH_FOLDER);
    CHECK(strcmp(roots.items[0].path, tree_path) == 0);
    snprintf(path, sizeof path, "%s/src", tree_path);
    CHECK(strcmp(roots.items[1].path, path) == 0 && roots.items[1].kind == WATCH_TREE);
    watch_roots_done(&roots);
    mkdir("python_modules", 0755);
    CHECK(project_watch_roots(&p, &roots) == 0 && roots.count == 3);
    watch_roots_done(&roots);
    p.main = NULL;
    CHECK(project_watch_roots(&p, &roots) == 0);
    CHECK(roots.count == 1 && roots.items[0].kind == WATCH_TREE);
    watch_roots_done(&roots);
    tree_close();
}

/* ---- digest ---- */

static void hashes_as_the_reference_does(void)
{
    /* SipHash-2-4-128 of 00 01 .. n-1 under the key 00 .. 0f: the reference's vectors. */
    static const struct {
        size_t n;
        const char *hex;
    } VECTORS[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},
        {1, "da87c1d86b99af44347659119b22fc45"},
        {2, "8177228da4a45dc7fca38bdef60affe4"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"},
    };
    unsigned char bytes[64];
    char hex[33], parts[33];

    for (int i = 0; i < 64; i++)
        bytes[i] = (unsigned char)i;
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        struct digest d;
        digest_init(&d);
        digest_add(&d, bytes, VECTORS[i].n);
        digest_finish(&d, hex);
        CHECK(strcmp(hex, VECTORS[i].hex) == 0);
    }
    for (size_t cut = 0; cut <= 64; cut++) {    /* pieces make no difference */
        struct digest whole, cut_up;
        digest_init(&whole);
        digest_add(&whole, bytes, 64);
        digest_finish(&whole, hex);
        digest_init(&cut_up);
        digest_add(&cut_up, bytes, cut);
        digest_add(&cut_up, bytes + cut, 64 - cut);
        digest_finish(&cut_up, parts);
        CHECK(strcmp(hex, parts) == 0);
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"takes_what_belongs_to_the_worker", takes_what_belongs_to_the_worker},
        {"takes_the_whole_folder_when_main_is_at_the_top",
         takes_the_whole_folder_when_main_is_at_the_top},
        {"names_a_folder_by_what_it_holds", names_a_folder_by_what_it_holds},
        {"follows_links_only_inside_the_project", follows_links_only_inside_the_project},
        {"names_the_biggest_when_there_is_too_much", names_the_biggest_when_there_is_too_much},
        {"removes_only_bundles_that_nobody_holds", removes_only_bundles_that_nobody_holds},
        {"copes_without_memory", copes_without_memory},
        {"is_quick", is_quick},
        {"knows_which_changes_matter", knows_which_changes_matter},
        {"names_the_folders_to_watch", names_the_folders_to_watch},
        {"hashes_as_the_reference_does", hashes_as_the_reference_does},
        {0},
    };

    return test_main("project_bundle", TESTS, argc, argv);
}
