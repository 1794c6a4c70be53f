/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand next on a command line, from the same tables that read it. The scripts for bash,
 * zsh and fish (complete.bash, ...) ask `attest complete -- WORD...` each time, so that they know
 * nothing themselves. */
#ifndef COMPLETE_H
#define COMPLETE_H

#include <stdio.h>

/* word: what follows "attest", the last one begun or empty. One candidate a line, a tab, what it
 * is; ":files" or ":folders" on a line of its own asks the shell for its own. */
void complete(FILE *out, int words, const char *const *word);

#endif
