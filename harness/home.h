/* SPDX-License-Identifier: Apache-2.0 */
/* Where the folders experiments/ and papers/ lie: in $ATTEST_HOME; or in the current folder, if
 * there are claims below its papers/; or beside the program: in share/attest of where it is
 * installed, or in the source tree that it was built in, wherever that has been moved to. So attest
 * works from any folder. */
#ifndef HOME_H
#define HOME_H

enum { HOME_PATH = 4096 };

/* The path of `name`, as "papers/guide.yaml": relative where the current folder is the home, or
 * where there is none, so that a complaint about it names what is missed. */
void home_path(char out[HOME_PATH], const char *name);

#endif
