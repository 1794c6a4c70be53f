/* SPDX-License-Identifier: Apache-2.0 */
/* How every module reports trouble.
 *
 * A wrong call is a bug: require() stops the program, in every build.
 * A wrong world (bad spec, full disk, no GPU) is data: the function returns a
 * Status and writes one sentence into the caller's Err: where, what is wrong,
 * what would be right. */
#ifndef STATUS_H
#define STATUS_H

typedef enum { OK = 0, BAD_INPUT, UNSUPPORTED, NO_MEMORY, IO_FAILED, DEVICE_FAILED } Status;

typedef struct { char text[512]; } Err;

/* Writes the sentence (err may be NULL) and returns `why`, so that callers can
 * say `return fail(err, BAD_INPUT, "...")`. What a terminal would obey becomes '?'. */
Status fail(Err *err, Status why, const char *format, ...) __attribute__((format(printf, 3, 4)));

void require_failed(const char *what, const char *file, int line) __attribute__((noreturn));

#define require(cond) ((cond) ? (void)0 : require_failed(#cond, __FILE__, __LINE__))

#endif
