/* project_deploy.c - src/project/deploy.c and upload.c: what a node is told, and which files it gets. */
#include "project/upload.h"

#include "project_load.h"

static const struct config_case CASES[] = {
    {"wrangler.toml",
     "name = 'w'\nmain = 'src/entry.py'\n" DATE
     "routes = ['example.com', 5, '', {zone_name = 'x'},\n"
     " {pattern = 'a.example/b', custom_domain = true},\n"
     " {pattern = '*.example', custom_domain = true},\n"
     " {pattern = 'a.example', custom_domain = 'yes', zone_id = 1, zone_nam = 'x'},\n"
     " 'what is it', {pattern = ''}]\n",
     ERR_INVALID,
     "wrangler.toml:4:26: error: a route must be a pattern such as \"example.com/*\" or a table, not "
     "a number\n"
     "    routes = ['example.com', 5, '', {zone_name = 'x'},\n"
     "                             ^\n"
     "wrangler.toml:4:29: error: a route must be a pattern such as \"example.com/*\" or a table, not "
     "an empty string\n"
     "    routes = ['example.com', 5, '', {zone_name = 'x'},\n"
     "                                ^\n"
     "wrangler.toml:4:33: error: a route has no 'pattern'\n"
     "    routes = ['example.com', 5, '', {zone_name = 'x'},\n"
     "                                    ^\n"
     "wrangler.toml:5:2: error: the custom domain \"a.example/b\" has a path: it is a host alone\n"
     "     {pattern = 'a.example/b', custom_domain = true},\n"
     "     ^\n"
     "wrangler.toml:6:2: error: the custom domain \"*.example\" has a '*': it is one host\n"
     "     {pattern = '*.example', custom_domain = true},\n"
     "     ^\n"
     "wrangler.toml:7:42: error: 'custom_domain' must be true or false, not a string\n"
     "     {pattern = 'a.example', custom_domain = 'yes', zone_id = 1, zone_nam = 'x'},\n"
     "                                             ^\n"
     "wrangler.toml:7:59: error: 'zone_id' must be a string, not a number\n"
     "     {pattern = 'a.example', custom_domain = 'yes', zone_id = 1, zone_nam = 'x'},\n"
     "                                                              ^\n"
     "wrangler.toml:7:62: warning: 'zone_nam' is not a key of a route\n"
     "     {pattern = 'a.example', custom_domain = 'yes', zone_id = 1, zone_nam = 'x'},\n"
     "                                                                 ^\n"
     "  hint: did you mean 'zone_name'?\n"
     "wrangler.toml:8:2: error: the route \"what is it\" is no pattern of host and path\n"
     "     'what is it', {pattern = ''}]\n"
     "     ^\n"
     "  hint: such as example.com/api, with a star for anything\n"
     "wrangler.toml:8:27: error: 'pattern' must be a string, not an empty one\n"
     "     'what is it', {pattern = ''}]\n"
     "                              ^\n"},
    {"wrangler.json",
     HEAD ",\n\"triggers\": {\"crons\": \"* * * * *\"},\n\"limits\": {\"cpu_ms\": \"x\"},\n"
          "\"account_id\": \"me\", \"route\": \"a.example\", \"routes\": []}",
     ERR_INVALID,
     "wrangler.json:4:15: error: 'account_id' must be 32 hexadecimal digits\n"
     "    \"account_id\": \"me\", \"route\": \"a.example\", \"routes\": []}\n"
     "                  ^\n"
     "wrangler.json:4:30: error: there are both 'route' and 'routes'\n"
     "    \"account_id\": \"me\", \"route\": \"a.example\", \"routes\": []}\n"
     "                                 ^\n"
     "  hint: put it into the list\n"
     "wrangler.json:2:23: error: 'triggers.crons' must be a list of at most 100 strings such as "
     "[\"*/5 * * * *\"]\n"
     "    \"triggers\": {\"crons\": \"* * * * *\"},\n"
     "                          ^\n"
     "wrangler.json:3:22: error: 'limits.cpu_ms' must be a whole number from 1 to 300000\n"
     "    \"limits\": {\"cpu_ms\": \"x\"},\n"
     "                         ^\n"},
    {"wrangler.toml",
     "name = 'w'\nmain = 'src/entry.py'\n" DATE "[triggers]\ncrons = ['* * * * *', 1]\n",
     ERR_INVALID,
     "wrangler.toml:5:23: error: 'triggers.crons' is a list of strings such as \"*/5 * * * *\": this "
     "one is a number\n"
     "    crons = ['* * * * *', 1]\n"
     "                          ^\n"},
};

static void complains_where_it_stands(void)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct outcome o;
        tree_open();
        tree_put("src/entry.py", "");
        tree_put(CASES[i].file, CASES[i].text);
        load(&(struct project_options){.folder = tree_path}, &o);
        CHECK(o.result == CASES[i].result);
        expect(CASES[i].file, o.said, CASES[i].said);
        outcome_done(&o);
        tree_close();
    }
}

static void reads_what_a_node_is_told(void)
{
    static const char TEXT[] =
        "name = 'w'\nmain = 'src/entry.py'\n" DATE
        "account_id = '0123456789abcdef0123456789abcdef'\nworkers_dev = false\nkeep_vars = true\n"
        "routes = ['example.com/*', {pattern = 'api.example.com', custom_domain = true},\n"
        " {pattern = 'example.org/x', zone_name = 'example.org'}]\n"
        "[triggers]\ncrons = ['* * * * *', '0 3 * * mon']\n"
        "[limits]\ncpu_ms = 50\n[observability]\nenabled = true\n"
        "[secrets]\nrequired = ['A', 'B']\n"
        "[env.quiet]\nroutes = []\npreview_urls = true\n[env.quiet.triggers]\ncrons = []\n"
        "[env.one]\nroute = 'one.example/*'\n";
    struct project_options options = {.folder = tree_path, .scope = PROJECT_UPLOAD};
    struct outcome o;

    tree_open();
    tree_put("src/entry.py", "");
    tree_put(".dev.vars", "A = secret\nC = secret\n");
    tree_put("wrangler.toml", TEXT);
    load(&options, &o);
    expect("said", o.said, "");
    expect("account", o.p.deploy.account_id, "0123456789abcdef0123456789abcdef");
    CHECK(o.p.deploy.workers_dev == PROJECT_NO && o.p.deploy.preview_urls == PROJECT_UNSAID);
    CHECK(o.p.deploy.keeps_vars);
    CHECK(o.p.deploy.has_routes && o.p.deploy.route_count == 3);
    expect("pattern", o.p.deploy.routes[0].pattern, "example.com/*");
    CHECK(o.p.deploy.routes[1].is_custom_domain && !o.p.deploy.routes[2].is_custom_domain);
    expect("zone", o.p.deploy.routes[2].zone, "example.org");
    CHECK(o.p.deploy.has_crons && o.p.deploy.cron_count == 2);
    expect("cron", o.p.deploy.crons[1], "0 3 * * mon");
    expect("settings", o.p.deploy.settings_json,
           "{\"limits\":{\"cpu_ms\":50},\"observability\":{\"enabled\":true}}");
    expect("required", o.p.deploy.required, "A\nB\n");
    expect("no secrets", o.p.env_json, "{}");
    outcome_done(&o);
    options.env = "quiet";
    load(&options, &o);
    CHECK(o.p.deploy.has_routes && o.p.deploy.route_count == 0);
    CHECK(o.p.deploy.has_crons && o.p.deploy.cron_count == 0);
    CHECK(o.p.deploy.workers_dev == PROJECT_NO && o.p.deploy.preview_urls == PROJECT_YES);
    outcome_done(&o);
    options.env = "one";
    load(&options, &o);
    CHECK(o.p.deploy.route_count == 1);
    expect("route", o.p.deploy.routes[0].pattern, "one.example/*");
    CHECK(o.p.deploy.cron_count == 2);
    outcome_done(&o);
    tree_close();
}

static void expect_files(const char *main, const char *wanted, const char *wanted_main)
{
    struct project_options options = {.folder = tree_path, .scope = PROJECT_UPLOAD, .entry = main};
    struct buf all = {0};
    struct outcome o;
    struct upload u;
    char *text;

    load(&options, &o);
    CHECK(o.result == 0);
    CHECK(upload_list(&o.p, &u, &o.err) == 0);
    for (size_t i = 0; i < u.count; i++)
        CHECK(buf_print(&all, "%s %s\n", u.items[i].name, u.items[i].type) == 0);
    text = buf_detach(&all);
    expect("files", text, wanted);
    expect("main", u.main, wanted_main);
    mem_free(text);
    upload_done(&u);
    outcome_done(&o);
}

static void names_files_as_wrangler_does(void)
{
    tree_open();
    tree_put("wrangler.toml", "name = 'w'\nmain = 'src/entry.py'\n" DATE);
    tree_put("src/entry.py", "");
    tree_put("src/lib/a.py", "");
    tree_put("src/page.html", "x");
    tree_put("src/requirements.txt", "of nobody");
    tree_put("requirements.txt", "fastapi");
    tree_put("python_modules/m/__init__.py", "");
    tree_put("README.md", "");
    tree_put(".dev.vars", "A=secret");
    expect_files("src/entry.py",
                 "entry.py text/x-python\nlib/a.py text/x-python\npage.html text/plain\n"
                 "python_modules/m/__init__.py application/octet-stream\n"
                 "requirements.txt text/plain\n",
                 "entry.py");
    tree_put("worker.py", "");
    expect_files("worker.py",
                 "README.md application/octet-stream\n"
                 "python_modules/m/__init__.py application/octet-stream\n"
                 "requirements.txt text/plain\nsrc/entry.py text/x-python\n"
                 "src/lib/a.py text/x-python\nsrc/page.html text/plain\n"
                 "src/requirements.txt text/plain\nworker.py text/x-python\n",
                 "worker.py");
    tree_close();
}

static void survives_without_memory(void)
{
    struct project_options options = {.folder = tree_path,
                                      .scope = PROJECT_UPLOAD,
                                      .worker_program = tree_worker()};
    struct err err = {0};
    int r = ERR_NOMEM;

    tree_open();
    tree_put("src/entry.py", "");
    tree_put("wrangler.json",
               HEAD ", \"routes\": [{\"pattern\": \"a/b\"}], \"triggers\": {\"crons\": [\"* * * * *\"]},"
                    "\"secrets\": {\"required\": [\"A\"]}}");
    for (long n = 0; r != 0 && n < 2000; n++) {
        struct project p;
        struct diagnostics d = {0};
        struct upload u = {0};
        mem_fail_after(n);
        r = project_load(&options, &p, &d, &err);
        if (r == 0)
            r = upload_list(&p, &u, &err);
        mem_fail_after(-1);
        if (r != 0 && r != ERR_NOMEM) {
            CHECK(!"an error but for memory");
            printf("  %d %s\n", r, err.text);
            n = 2000;
        }
        upload_done(&u);
        project_done(&p);
        diagnostics_done(&d);
    }
    CHECK(r == 0);
    tree_close();
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"complains_where_it_stands", complains_where_it_stands},
        {"reads_what_a_node_is_told", reads_what_a_node_is_told},
        {"names_files_as_wrangler_does", names_files_as_wrangler_does},
        {"survives_without_memory", survives_without_memory},
        {0},
    };
    return test_main("project_deploy", TESTS, argc, argv);
}
