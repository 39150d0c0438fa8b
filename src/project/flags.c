/* flags.c - the names; which of them do something: docs/configuration.md,
 * sdk/python/corral/flags.py. */
#include "project/flags.h"

#include <stddef.h>
#include <string.h>

#include "text/nearest.h"

static const char *const NAMES[] = {
    "python_workers",
    "python_workers_20250116",
    "python_workers_20260610",
    "python_workers_20260817",
    "python_workers_development",
    "python_workers_durable_objects",
    "python_workers_force_new_vendor_path",
    "python_external_packages",
    "python_no_global_handlers",
    "disable_python_no_global_handlers",
    "python_workflows",
    "disable_python_workflows",
    "python_workflows_implicit_dependencies",
    "no_python_workflows_implicit_dependencies",
    "python_dedicated_snapshot",
    "disable_python_dedicated_snapshot",
    "python_check_rng_state",
    "disable_python_check_rng_state",
    "python_request_headers_preserve_commas",
    "disable_python_request_headers_preserve_commas",
    "enable_python_external_sdk",
    "disable_python_external_sdk",
    "python_process_pth_files",
    "disable_python_process_pth_files",
    "websocket_standard_binary_type",
    "no_websocket_standard_binary_type",
    "web_socket_auto_reply_to_close",
    "web_socket_manual_reply_to_close",
};

/* Behind "no_", "disable_" or "enable_". */
static const char *base_of(const char *flag)
{
    static const char *const PREFIXES[] = {"no_", "disable_", "enable_"};

    for (size_t i = 0; i < sizeof PREFIXES / sizeof *PREFIXES; i++)
        if (strncmp(flag, PREFIXES[i], strlen(PREFIXES[i])) == 0)
            return flag + strlen(PREFIXES[i]);
    return flag;
}

bool flags_are_odd(const char *flag, const char **ret_near)
{
    struct nearest near;

    *ret_near = NULL;
    nearest_init(&near, flag);
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(base_of(flag), base_of(NAMES[i])) == 0)
            return false;
        nearest_try(&near, NAMES[i]);
    }
    *ret_near = near.best;
    return near.best || strstr(flag, "python");
}
