/* project_bindings.c - src/project/bindings.c: databases of a project, and the folder that they are in. */
#include "project/inputs.h"
#include "project_load.h"

static const struct config_case DATABASES[] = {
    {"wrangler.json",
     HEAD ",\n\"d1_databases\": [{\"binding\": \"DB\",\n\"database_name\": \"a\\nb\"}]}",
     ERR_INVALID,
     "wrangler.json:3:18: error: the name of a database has no control characters\n"
     "    \"database_name\": \"a\\nb\"}]}\n"
     "                     ^\n"},
    {"wrangler.json", HEAD ", \"d1_databases\": []}", 0, ""},
    {"wrangler.json", HEAD ",\n\"d1_databases\": {\"binding\": \"DB\"}}", ERR_INVALID,
     "wrangler.json:2:17: error: 'd1_databases' must be a list, not an object\n"
     "    \"d1_databases\": {\"binding\": \"DB\"}}\n"
     "                    ^\n"},
    {"wrangler.toml",
     "name = 'w'\nmain = \"src/entry.py\"\n" DATE "[d1_databases]\nbinding = 'DB'\n", ERR_INVALID,
     "wrangler.toml:4:2: error: 'd1_databases' must be a list, not a table\n"
     "    [d1_databases]\n"
     "     ^\n"
     "  hint: two brackets make a list of tables: [[d1_databases]]\n"},
    {"wrangler.json", HEAD ",\n\"d1_databases\": [\"DB\", {\"database_name\": \"x\"},\n {}]}",
     ERR_INVALID,
     "wrangler.json:2:18: error: 'd1_databases' must be a list of objects: this one is a string\n"
     "    \"d1_databases\": [\"DB\", {\"database_name\": \"x\"},\n"
     "                     ^\n"
     "wrangler.json:2:24: error: a database in 'd1_databases' has no 'binding'\n"
     "    \"d1_databases\": [\"DB\", {\"database_name\": \"x\"},\n"
     "                           ^\n"
     "  hint: add \"binding\": \"DB\" for env.DB\n"
     "wrangler.json:3:2: error: a database in 'd1_databases' has no 'binding'\n"
     "     {}]}\n"
     "     ^\n"
     "  hint: add \"binding\": \"DB\" for env.DB\n"},
    {"wrangler.toml",
     "name = 'w'\nmain = \"src/entry.py\"\n" DATE "[[d1_databases]]\nbinding = 'my-db'\n"
     "[[d1_databases]]\nbinding = 'A'\ndatabase_nam = 'x'\n"
     "[[d1_databases]]\nbinding = 'A'\nmigrations_dir = 1\n"
     "[[d1_databases]]\nbinding = 'V'\nremote = true\n"
     "[[d1_databases]]\ndatabase_name = 'n'\n"
     "[[d1_databases]]\nbinding = '9'\n"
     "[[d1_databases]]\nbinding = 'A'\n"
     "database_id = '1234567890123456789012345678901234567890123456789012345678901234-'\n"
     "[vars]\nV = 1\n",
     ERR_INVALID,
     "wrangler.toml:5:11: error: the binding \"my-db\" is not a JavaScript identifier\n"
     "    binding = 'my-db'\n"
     "              ^\n"
     "  hint: letters, digits, '_' and '$', no digit first: env.NAME must be code\n"
     "wrangler.toml:8:1: warning: 'database_nam' is not a key of a database in 'd1_databases'\n"
     "    database_nam = 'x'\n"
     "    ^\n"
     "  hint: did you mean 'database_name'?\n"
     "wrangler.toml:11:18: error: 'migrations_dir' must be a string, not a number\n"
     "    migrations_dir = 1\n"
     "                     ^\n"
     "wrangler.toml:10:11: error: two bindings are called 'A'\n"
     "    binding = 'A'\n"
     "              ^\n"
     "  hint: rename one of them\n"
     "wrangler.toml:14:1: warning: 'remote' has no effect: databases are on this machine\n"
     "    remote = true\n"
     "    ^\n"
     "wrangler.toml:13:11: error: the binding 'V' is a variable in 'vars' too\n"
     "    binding = 'V'\n"
     "              ^\n"
     "  hint: rename one of them\n"
     "wrangler.toml:15:3: error: a database in 'd1_databases' has no 'binding'\n"
     "    [[d1_databases]]\n"
     "      ^\n"
     "  hint: add binding = \"DB\" for env.DB\n"
     "wrangler.toml:18:11: error: the binding \"9\" is not a JavaScript identifier\n"
     "    binding = '9'\n"
     "              ^\n"
     "  hint: letters, digits, '_' and '$', no digit first: env.NAME must be code\n"
     "wrangler.toml:20:11: error: two bindings are called 'A'\n"
     "    binding = 'A'\n"
     "              ^\n"
     "  hint: rename one of them\n"
     "wrangler.toml:21:15: error: the name of a database may have 64 bytes: this one has 65\n"
     "    database_id = '1234567890123456789012345678901234567890123456789012345678901234-'\n"
     "                  ^\n"},
};

static void says_what_is_wrong_with_databases(void)
{
    for (size_t i = 0; i < sizeof DATABASES / sizeof *DATABASES; i++) {
        const struct config_case *at = &DATABASES[i];
        struct outcome o;
        tree_open();
        tree_put("src/entry.py", "");
        tree_put(at->file, at->text);
        load(&(struct project_options){0}, &o);
        CHECK(o.result == at->result);
        expect("said", o.said, at->said);
        outcome_done(&o);
        tree_close();
    }
}

static void expect_database(const struct project_database *db, const char *const texts[6])
{
    expect("binding", db->binding, texts[0]);
    expect("name", db->name, texts[1]);
    expect("id", db->id, texts[2]);
    expect("preview_id", db->preview_id, texts[3]);
    expect("migrations_dir", db->migrations_dir, texts[4]);
    expect("migrations_table", db->migrations_table, texts[5]);
}

#define BASES                                                                                      \
    HEAD                                                                                           \
        ", \"vars\": {\"LIVE\": 1}, \"d1_databases\": [{\"binding\": \"DB\", \"database_name\": "  \
        "\"books\", \"database_id\": \"one\", \"preview_database_id\": \"two\", "                  \
        "\"migrations_dir\": \"sql/m\", \"migrations_table\": \"done\"}, {\"binding\": \"$é\", "  \
        "\"database_id\": \"some-id\"}, {\"binding\": \"C\", \"database_id\": \"\", "              \
        "\"database_name\": \"\"}],\n\"env\": {\n\"bare\": {\"vars\": {\"LIVE\": 1}},\n\"none\": " \
        "{\"vars\": {\"LIVE\": 1}, \"d1_databases\": []},\n\"live\": {\"vars\": {}, "              \
        "\"d1_databases\": [{\"binding\": \"LIVE\"}, {\"binding\": \"$é\"}]}}}"

static void reads_databases(void)
{
    struct outcome o;
    char path[PATH_MAX + 32];

    tree_open();
    tree_put("src/entry.py", "");
    tree_put("wrangler.json", BASES);
    load(&(struct project_options){0}, &o);
    expect("said", o.said, "");
    CHECK(o.p.database_count == 3);
    if (o.p.database_count == 3) {
        expect_database(&o.p.databases[0],
                        (const char *[]){"DB", "books", "one", "two", "sql/m", "done"});
        expect_database(&o.p.databases[1], (const char *[]){"$é", "some-id", "some-id", "",
                                                            "migrations", "d1_migrations"});
        expect_database(&o.p.databases[2],
                        (const char *[]){"C", "C", "", "", "migrations", "d1_migrations"});
    }
    snprintf(path, sizeof path, "%s/.corral/state", tree_path);
    expect("data", o.p.data_folder, path);
    outcome_done(&o);
    load(&(struct project_options){.vars = (const char *[]){"DB:x"}, .var_count = 1}, &o);
    CHECK(o.result == 0);
    expect("said", o.said,
           "warning: the variable 'DB' (--var) has no effect: a database is called so\n"
           "  hint: rename one of them\n");
    outcome_done(&o);
    load(&(struct project_options){.env = "bare"}, &o);
    expect("said", o.said,
           "wrangler.json:3: warning: the environment 'bare' does not inherit 'd1_databases': it "
           "has no DB, $é, C\n"
           "  hint: list them for the environment too (env.bare.d1_databases)\n");
    CHECK(o.result == 0 && o.p.database_count == 0);
    outcome_done(&o);
    load(&(struct project_options){.env = "none"}, &o);
    expect("said", o.said, "");
    CHECK(o.result == 0 && o.p.database_count == 0);
    outcome_done(&o);
    load(&(struct project_options){.env = "live"}, &o);
    expect("said", o.said,
           "wrangler.json:5: warning: the environment 'live' does not inherit 'd1_databases': it "
           "has no DB, C\n"
           "  hint: list them for the environment too (env.live.d1_databases)\n"
           "wrangler.json:5: warning: the environment 'live' does not inherit 'vars': it has no LIVE\n"
           "  hint: set them for the environment too (env.live.vars)\n");
    CHECK(o.result == 0 && o.p.database_count == 2);
    if (o.p.database_count == 2)
        expect("live", o.p.databases[0].name, "LIVE");
    outcome_done(&o);
    tree_close();
}

static void knows_the_state_alone(void)
{
    struct project_options options = {.scope = PROJECT_STATE, .state_folder = "new/er"};
    char path[PATH_MAX + 32];
    struct outcome o;

    tree_open();
    load(&options, &o); /* no configuration */
    CHECK(o.result == 0 && o.p.database_count == 0);
    expect("folder", o.p.folder, tree_path);
    snprintf(path, sizeof path, "%s/new/er", tree_path);
    expect("data", o.p.data_folder, path);
    outcome_done(&o);
    tree_put("wrangler.json", "{\"name\": \"w\", \"d1_databases\": [{\"binding\": \"DB\"}]}");
    tree_put(".dev.vars", "not a variable\n");
    CHECK(symlink("real", "new") == 0 && mkdir("real", 0755) == 0);
    load(&options, &o); /* no main */
    CHECK(o.result == 0 && o.p.database_count == 1);
    CHECK(!strstr(o.said, "main") && !strstr(o.said, "vars"));
    snprintf(path, sizeof path, "%s/real/er", tree_path);
    expect("data", o.p.data_folder, path);
    outcome_done(&o);
    options.state_folder = ""; /* --persist-to "$UNSET": not the project itself */
    load(&options, &o);
    snprintf(path, sizeof path, "%s/.corral/state", tree_path);
    expect("data", o.p.data_folder, path);
    outcome_done(&o);
    tree_close();
}

/* Whatever --persist-to names, what workers keep is neither an input nor a reason to reload. */
static void overlooks_its_state(void)
{
    static const struct {
        const char *state_folder, *data; /* data: of the database's folder, in the project */
    } FOLDERS[] = {{NULL, ".corral/state/d1/x"},
                   {"state", "state/d1/x"},
                   {".", "d1/x"},
                   {"src", "src/d1/x"},
                   {"src/kept", "src/kept/d1/x"}};

    for (size_t i = 0; i < sizeof FOLDERS / sizeof *FOLDERS; i++) {
        struct outcome o;
        char path[PATH_MAX + 64];
        struct inputs in;
        tree_open();
        tree_put("src/entry.py", "");
        tree_put("src/d1.py", "");
        tree_put("wrangler.json", HEAD "}");
        snprintf(path, sizeof path, "%s/db.sqlite", FOLDERS[i].data);
        tree_put(path, "");
        load(&(struct project_options){.state_folder = FOLDERS[i].state_folder}, &o);
        expect("said", o.said, "");
        snprintf(path, sizeof path, "%s/%s", tree_path, FOLDERS[i].data);
        CHECK(strncmp(path, o.p.data_folder, strlen(o.p.data_folder)) == 0);
        CHECK(project_ignores(&o.p, path));
        strcat(path, "/db.sqlite-wal");
        CHECK(project_ignores(&o.p, path));
        snprintf(path, sizeof path, "%s/src/d1.py", tree_path);
        CHECK(!project_ignores(&o.p, path));
        snprintf(path, sizeof path, "%s/wrangler.json", tree_path);
        CHECK(!project_ignores(&o.p, path));
        CHECK(inputs_list(&o.p, &in, &o.err) == 0 && in.count == 2);
        for (size_t n = 0; n < in.count; n++)
            CHECK(!strstr(in.items[n].path, "sqlite"));
        inputs_done(&in);
        outcome_done(&o);
        tree_close();
    }
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"says_what_is_wrong_with_databases", says_what_is_wrong_with_databases},
        {"reads_databases", reads_databases},
        {"knows_the_state_alone", knows_the_state_alone},
        {"overlooks_its_state", overlooks_its_state},
        {0},
    };

    return test_main("project_bindings", TESTS, argc, argv);
}
