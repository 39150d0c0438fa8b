/* project.h - a project folder as one checked struct.
 *
 * project_load finds wrangler.json, wrangler.jsonc or wrangler.toml (in this
 * order, as wrangler does), checks every key, picks the environment, adds
 * .dev.vars (or .env) and --var, and checks that `main` is there.
 *
 *     struct diagnostics d = {0};
 *     struct project p = {0};
 *     int r = project_load(&options, &p, &d, &err);
 *     ... print d (warnings also when r is 0) ...
 *     diagnostics_done(&d);
 *     project_done(&p);               also after a failure
 *
 * Errors: ERR_INVALID: the project is wrong, d says where (err has the first
 * error in one line with its hint); ERR_NOT_FOUND: there is no project, d says
 * where it was looked for; ERR_NOMEM; ERR_SYSTEM: the kernel said no, or the
 * TOML helper did not run.  A project that could not be loaded still knows
 * `folder` when there is one, so that it can be watched until it is mended.
 *
 * Synchronous: reads a few small files in well under a millisecond; a
 * wrangler.toml that is new or has changed costs a short-lived process more,
 * about 25 ms.  Loop thread only. */
#ifndef CORRAL_PROJECT_PROJECT_H
#define CORRAL_PROJECT_PROJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limit.h"
#include "project/diagnostic.h"
#include "project/rules.h"

enum project_scope {
    PROJECT_WHOLE,          /* to serve it */
    PROJECT_STATE,          /* for commands on its databases: no variables, no main, no look at its
                               files; without a configuration it is the current folder */
    PROJECT_UPLOAD,         /* to send it to a node: without the secrets of .dev.vars and .env */
};

enum project_wish { PROJECT_UNSAID, PROJECT_NO, PROJECT_YES };

struct project_bundling {           /* of the command line, for JavaScript; it wins */
    const char *const *aliases;     /* each "FROM:TO" */
    size_t alias_count;
    const char *const *defines;     /* each "NAME:EXPRESSION" */
    size_t define_count;
    const char *tsconfig, *jsx_factory, *jsx_fragment;  /* or NULL */
    const char *metafile;           /* where the bundler's report is copied to, or NULL */
    enum project_wish bundles, minifies, uploads_maps;
};

/* What a custom build says, line by line; from the thread that loads. */
typedef void (*project_say_fn)(void *self, const char *line);

struct project_options {            /* borrowed during the call */
    enum project_scope scope;
    const char *folder;     /* of the project; NULL: the current one or the nearest parent with a
                               configuration (with entry: seen from the entry's folder) */
    const char *config;     /* --config: this file, whatever its name; its folder is the project;
                               NULL: search */
    const char *entry;      /* `corral dev src/entry.py`: wins over `main`, and then a missing
                               configuration is no error; NULL: none */
    const char *env;        /* --env; NULL or "": the top level */
    const char *const *vars;        /* --var K:V, each "K:V" */
    size_t var_count;
    const char *const *env_files;   /* --env-file: in place of .dev.vars and .env; seen from the
                               project's folder */
    size_t env_file_count;
    const char *name;               /* --name; NULL: the configuration's */
    const char *compatibility_date; /* --compatibility-date; likewise */
    const char *const *flags;       /* --compatibility-flags; none: the configuration's */
    size_t flag_count;
    const char *state_folder;       /* --persist-to; NULL or "": FOLDER/.corral */
    const char *worker_program;     /* corral-worker, which reads TOML for us */
    struct project_bundling bundling;
    bool is_development;            /* `corral dev`: NODE_ENV is "development" */
    bool runs_build;                /* run [build] command, before main is looked for */
    project_say_fn say;             /* NULL: nobody hears what it says */
    void *say_self;
    const atomic_bool *is_cancelled; /* ends it; NULL: nothing does */
};

struct project_database {   /* all owned, none NULL */
    char *binding;          /* env.BINDING */
    char *name;             /* what this machine calls it: database_name, else database_id, else
                               the binding */
    char *id, *preview_id;  /* as written, or "" */
    char *migrations_dir;   /* as written: seen from the configuration's folder; "migrations" */
    char *migrations_table; /* "d1_migrations" */
};

struct project_route {      /* all owned, none NULL */
    char *pattern;          /* as written: "example.com/api", with stars */
    char *zone;             /* zone_name or zone_id, or "" */
    bool is_custom_domain;
};

struct project_deploy {     /* what a node is told beside the code; all owned, no text NULL */
    char *account_id;       /* or "" */
    bool has_routes;        /* `route` or `routes` stands there; an empty list takes all away */
    struct project_route *routes;
    size_t route_count;
    bool has_crons;         /* triggers.crons stands there; likewise */
    char **crons;
    size_t cron_count;
    enum project_wish workers_dev, preview_urls;
    bool keeps_vars;        /* keep_vars: variables that were set elsewhere stay */
    struct limit_set limits;/* `limits`; 0: not said */
    char *settings_json;    /* JSON object with limits, placement, logpush, observability and
                               tail_consumers, as they stand there */
    char *required;         /* secrets.required, '\n' behind each; with PROJECT_UPLOAD only */
};

struct project_words {      /* owned */
    char **items;
    size_t count;
};

struct project_script {     /* how a project in JavaScript is bundled; all owned */
    bool is_used;           /* main is JavaScript */
    bool bundles;           /* not no_bundle */
    bool keeps_file_names;  /* preserve_file_names */
    bool finds_modules;     /* find_additional_modules */
    bool uploads_maps;      /* not upload_source_maps = false */
    struct rules rules;
    struct project_words words;     /* options for the bundler: "--minify" ... */
    char *base_dir;         /* of the modules that are found: absolute */
    char *metafile;         /* or NULL */
    char *inputs;           /* files that went into the last bundle, absolute, '\n' behind each; NULL: nobody
                               knows.  bundle_build fills it */
    bool is_broken;         /* the last bundle could not be made: what is missing may come from anywhere.
                               Likewise */
};

struct project_build {      /* [build]: a command that makes main; all owned */
    char *command;          /* or NULL */
    char *folder;           /* where it runs: absolute */
    struct project_words watched;   /* folders whose changes run it again: absolute */
};

struct project {            /* all text owned; none is NULL after success */
    char *folder;           /* absolute, without symbolic links */
    char *config;           /* absolute path of the configuration; "" when there is none */
    char *shown;            /* the same for people: "examples/hello/wrangler.toml", "" */
    char *state_folder;     /* absolute; may not exist yet */
    char *data_folder;      /* what workers keep: FOLDER/.corral/state, or what --persist-to names;
                               absolute; may not exist yet */
    struct project_database *databases;     /* of the chosen environment, in their order */
    size_t database_count;
    struct project_deploy deploy;
    char *env;              /* chosen environment, "" for the top level */
    char *name;             /* of the worker: with --env NAME-ENV */
    char *main;             /* inside folder, '/' between parts: "src/entry.py" */
    char *compatibility_date;       /* "2026-03-01" or "" */
    char *compatibility_flags;      /* separated by spaces */
    char *env_json;         /* JSON object: vars, then .dev.vars or .env, then --var.
                               Holds secrets: never log it */
    char *env_files;        /* those of env_files in the folder itself, '\n' behind each */
    char *secrets_file;     /* what people call the file secrets came from: ".dev.vars", or "" */
    char *package_files;    /* what says which packages it wants, absolute, '\n' behind each: to be
                               watched.  project_load leaves it empty: packages/ knows it */
    char *left_out;         /* paths inside python_modules that its bundle is not to have, '\n'
                               behind each; likewise */
    bool has_links;         /* some inputs are symbolic links: they lead anywhere in folder */
    struct project_script script;
    struct project_build build;
};

int project_load(const struct project_options *options, struct project *ret_project,
                 struct diagnostics *diagnostics, struct err *err) MUST_CHECK;
void project_done(struct project *p);

/* May it be the name of a binding?  JavaScript's identifiers. */
bool project_is_binding(const char *text);

/* ---- for whoever watches files ---- */

enum { WATCH_ROOTS_MAX = 32 };

enum watch_kind {
    WATCH_TREE,             /* the folder and everything below that is not ignored */
    WATCH_FOLDER,           /* its direct entries only */
};

struct watch_root {
    char *path;             /* absolute; exists */
    enum watch_kind kind;
};

struct watch_roots {
    struct watch_root items[WATCH_ROOTS_MAX];
    size_t count;
};

/* Where changes matter: the project folder (configuration, .dev.vars), the
 * folder of main, python_modules, where package_files are.  A tree inside a tree is left out.  For a
 * project that failed to load, or whose inputs are partly reached through
 * symbolic links: the whole folder.  ERR_NOMEM. */
int project_watch_roots(const struct project *p, struct watch_roots *ret_roots) MUST_CHECK;
/* What else decides which folders are watched: inputs in packages and outside of the project.  When it is not what
 * it was, the roots have to be watched anew.  ERR_NOMEM. */
int project_watch_more(const struct project *p, struct buf *out) MUST_CHECK;
void watch_roots_done(struct watch_roots *roots);

/* May a change of this absolute path (file or folder, also one that is gone)
 * be overlooked?  false for inputs of the bundle, the configuration, the
 * variables and what says which packages are wanted; a folder that is ignored need not be watched. */
bool project_ignores(const struct project *p, const char *path);
/* Does a change of this absolute path ask for [build] command? */
bool project_is_built_from(const struct project *p, const char *path);
/* Is this absolute path one of those that say which packages are wanted? */
bool project_is_package_file(const struct project *p, const char *path);

#endif
