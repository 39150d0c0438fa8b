/* md5.h - the MD5 of a file, which Cloudflare's import protocol knows files by.  No safeguard.
 *
 * Thread: any; reads the whole file, wherever it stands. */
#ifndef CORRAL_SERVICE_MD5_H
#define CORRAL_SERVICE_MD5_H

#include "base/err.h"

enum { MD5_SIZE = 33 }; /* hexadecimal digits and a NUL */

int md5_of_file(int fd, char out[MD5_SIZE], struct err *err) MUST_CHECK;

#endif
