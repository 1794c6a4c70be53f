/* SPDX-License-Identifier: Apache-2.0 */
/* isa_here NAME: exit 0 if this machine runs that instruction set, else say why not. */
#include "../kernels/core/isa.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    Isa isa;
    if (argc != 2 || !isa_parse(argv[1], &isa)) return 2;
    const char *missing = isa_missing(isa);
    if (missing) puts(missing);
    return missing != NULL;
}
