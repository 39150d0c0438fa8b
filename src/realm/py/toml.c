/* toml.c - let CPython's tomllib read a TOML text.
 *
 * The interpreter gets no site-packages, no environment and no bytecode cache
 * to write.  tomllib's errors name line and column in their text only (before
 * Python 3.14), hence the regular expression.  The process ends by _exit: there
 * is nothing to tidy up, and tidying costs milliseconds. */
#include <Python.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "realm/py/python.h"
#include "realm/toml.h"

enum { CPU_MAX_S = 10 };

/* Whatever it needs is imported here: behind the box nothing is opened. */
static const char PROGRAM[] =
    "import json, re, tomllib\n"
    "from datetime import date, time\n"
    "\n"
    "class Refused(Exception):\n"
    "    pass\n"
    "\n"
    "def plain(value, path):\n"
    "    if isinstance(value, dict):\n"
    "        return {k: plain(v, path + [k]) for k, v in value.items()}\n"
    "    if isinstance(value, list):\n"
    "        return [plain(v, path + [str(i)]) for i, v in enumerate(value)]\n"
    "    if isinstance(value, (date, time)):\n"
    "        return value.isoformat()\n"
    "    if isinstance(value, float) and (value != value or value in (1e999, -1e999)):\n"
    "        raise Refused(f\"'{'.'.join(path)}' is {value}, which is no finite number\", path)\n"
    "    if type(value) is int and not -2**63 <= value < 2**63:\n"
    "        return float(value)\n"
    "    return value\n"
    "\n"
    "def place(data, at):\n"
    "    before = data[:at].decode('utf-8')\n"
    "    return before.count('\\n') + 1, len(before) - (before.rfind('\\n') + 1) + 1\n"
    "\n"
    "def end_of(text):\n"
    "    return text.count('\\n') + 1, len(text) - (text.rfind('\\n') + 1) + 1\n"
    "\n"
    "def read(data):\n"
    "    text = ''\n"
    "    try:\n"
    "        text = data.removeprefix(b'\\xef\\xbb\\xbf').decode('utf-8')\n"
    "        return {'ok': plain(tomllib.loads(text), [])}\n"
    "    except UnicodeDecodeError as e:\n"
    "        message, (line, column) = 'a byte that is not UTF-8', place(data, e.start)\n"
    "    except Refused as e:\n"
    "        return {'error': {'message': e.args[0], 'path': e.args[1]}}\n"
    "    except tomllib.TOMLDecodeError as e:\n"
    "        m = re.fullmatch(r'(.*) \\(at line (\\d+), column (\\d+)\\)', str(e), re.S)\n"
    "        end = re.fullmatch(r'(.*) \\(at end of document\\)', str(e), re.S)\n"
    "        message = (m or end or [0, str(e)])[1]\n"
    "        line, column = (int(m[2]), int(m[3])) if m else end_of(text) if end else (0, 0)\n"
    "        if end:\n"
    "            message += ' at the end of the file'\n"
    "    except (RecursionError, OverflowError, ValueError) as e:\n"
    "        message, line, column = str(e), 0, 0\n"
    "    return {'error': {'message': message, 'line': line, 'column': column}}\n";

static const char ANSWER[] =
    "with open(0, 'rb', buffering=0) as f:\n"
    "    answer = json.dumps(read(f.readall())).encode()\n"
    "with open(1, 'wb', closefd=False) as f:\n"
    "    f.write(answer)\n";

int toml_main(int (*enter)(struct err *err))
{
    struct rlimit cpu = {CPU_MAX_S, CPU_MAX_S};
    struct err err = {0};
    int failed;

    /* Whoever asked is gone: nobody reads the answer. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CPU, &cpu);
    failed = python_start(&err) < 0 || PyRun_SimpleString(PROGRAM) != 0;
    failed = failed || enter(&err) < 0 || PyRun_SimpleString(ANSWER) != 0;
    if (err.text[0])
        fprintf(stderr, "corral-worker toml: %s\n", err.text);
    fflush(stderr);
    _exit(failed);
}
