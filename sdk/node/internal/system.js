// system.js - names and texts of the system's errors (Linux), by their negative numbers.
const TABLE = `E2BIG 7 argument list too long|EACCES 13 permission denied|EADDRINUSE 98 address already in use|EAGAIN 11 resource temporarily unavailable|
EBADF 9 bad file descriptor|EBUSY 16 resource busy or locked|ECANCELED 125 operation canceled|ECONNABORTED 103 software caused connection abort|
ECONNREFUSED 111 connection refused|ECONNRESET 104 connection reset by peer|EEXIST 17 file already exists|EHOSTUNREACH 113 host is unreachable|
EINTR 4 interrupted system call|EINVAL 22 invalid argument|EIO 5 i/o error|EISDIR 21 illegal operation on a directory|ELOOP 40 too many symbolic links encountered|
EMFILE 24 too many open files|ENAMETOOLONG 36 name too long|ENOENT 2 no such file or directory|ENOMEM 12 not enough memory|ENOSPC 28 no space left on device|
ENOSYS 38 function not implemented|ENOTCONN 107 socket is not connected|ENOTDIR 20 not a directory|ENOTEMPTY 39 directory not empty|
ENOTSUP 95 operation not supported on socket|EPERM 1 operation not permitted|EPIPE 32 broken pipe|EROFS 30 read-only file system|ETIMEDOUT 110 connection timed out`;
export const errno = {};
export const systemErrors = new Map(TABLE.replaceAll('\n', '').split('|').map((line) => {
  const [, name, number, text] = /^(\w+) (\d+) (.*)$/.exec(line);
  errno[name] = Number(number);
  return [-Number(number), [name, text]];
}));
export const signals = Object.fromEntries('HUP 1 INT 2 QUIT 3 ILL 4 TRAP 5 ABRT 6 IOT 6 BUS 7 FPE 8 KILL 9 USR1 10 SEGV 11 USR2 12 PIPE 13 ALRM 14 TERM 15 CHLD 17 STKFLT 16 CONT 18 STOP 19 TSTP 20 TTIN 21 TTOU 22 URG 23 XCPU 24 XFSZ 25 VTALRM 26 PROF 27 WINCH 28 IO 29 POLL 29 PWR 30 SYS 31'
  .match(/\w+ \d+/g).map((pair) => [`SIG${pair.split(' ')[0]}`, Number(pair.split(' ')[1])]));
