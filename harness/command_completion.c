/* SPDX-License-Identifier: Apache-2.0 */
/* attest completion: the script that makes a shell complete attest's words. */
#include "cli.h"

#include "../kernels/core/problem.h"

#include <string.h>

extern const char complete_bash[], complete_zsh[], complete_fish[];   /* embedded by the build */

static const struct { const char *shell, *script; } scripts[] = {
    { "bash", complete_bash }, { "zsh", complete_zsh }, { "fish", complete_fish },
};
enum { SHELLS = sizeof scripts / sizeof *scripts };

static int run(const Call *call)
{
    const char *names[SHELLS], *shell = call->argv[0];
    Err err;
    for (int i = 0; i < SHELLS; i++) {
        names[i] = scripts[i].shell;
        if (strcmp(shell, names[i])) continue;
        fputs(scripts[i].script, call->out);
        return EXIT_DONE;
    }
    const char *near = did_you_mean(shell, names, SHELLS);
    const Status status = near
        ? fail(&err, BAD_INPUT, "there is no completion for '%s'; did you mean '%s'?", shell, near)
        : fail(&err, BAD_INPUT, "there is no completion for '%s'; there is for bash, zsh and fish",
               shell);
    return call_failed(call, status, &err);
}

extern const Command command_completion;
const Command command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .summary = "the completion of words for bash, zsh or fish",
    .details = "Prints the script of that shell: commands, options, experiments, papers, points, "
               "presets. `make install` puts all three where the shells look. By hand:\n\n"
               "  bash   eval \"$(attest completion bash)\"\n"
               "  zsh    attest completion zsh >FOLDER/_attest, with FOLDER in $fpath\n"
               "  fish   attest completion fish | source",
    .least = 1,
    .most = 1,
    .run = run,
};
