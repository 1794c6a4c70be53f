/* SPDX-License-Identifier: Apache-2.0 */
/* LaTeX's names of signs. The table is short enough to be searched from its beginning. */
#include "mathml_symbols.h"

#include <string.h>

static const Symbol symbols[] = {
    { "alpha", "α", LETTER }, { "beta", "β", LETTER }, { "gamma", "γ", LETTER }, { "delta", "δ", LETTER },
    { "epsilon", "ϵ", LETTER }, { "varepsilon", "ε", LETTER }, { "zeta", "ζ", LETTER }, { "eta", "η", LETTER },
    { "theta", "θ", LETTER }, { "kappa", "κ", LETTER }, { "lambda", "λ", LETTER }, { "mu", "μ", LETTER },
    { "nu", "ν", LETTER }, { "xi", "ξ", LETTER }, { "pi", "π", LETTER }, { "rho", "ρ", LETTER },
    { "sigma", "σ", LETTER }, { "tau", "τ", LETTER }, { "phi", "ϕ", LETTER }, { "varphi", "φ", LETTER },
    { "chi", "χ", LETTER }, { "psi", "ψ", LETTER }, { "omega", "ω", LETTER }, { "ell", "ℓ", LETTER },
    { "Gamma", "Γ", LETTER }, { "Delta", "Δ", LETTER }, { "Theta", "Θ", LETTER }, { "Lambda", "Λ", LETTER },
    { "Pi", "Π", LETTER }, { "Sigma", "Σ", LETTER }, { "Phi", "Φ", LETTER }, { "Psi", "Ψ", LETTER },
    { "Omega", "Ω", LETTER }, { "infty", "∞", LETTER }, { "top", "⊤", LETTER }, { "bot", "⊥", LETTER },
    { "partial", "∂", LETTER }, { "nabla", "∇", LETTER }, { "emptyset", "∅", LETTER }, { "ldots", "…", LETTER },
    { "dots", "…", LETTER }, { "cdots", "⋯", LETTER }, { "%", "%", LETTER }, { "#", "#", LETTER },

    { "le", "≤", SIGN }, { "leq", "≤", SIGN }, { "ge", "≥", SIGN }, { "geq", "≥", SIGN }, { "ne", "≠", SIGN },
    { "neq", "≠", SIGN }, { "approx", "≈", SIGN }, { "equiv", "≡", SIGN }, { "sim", "∼", SIGN }, { "propto", "∝", SIGN },
    { "ll", "≪", SIGN }, { "gg", "≫", SIGN }, { "in", "∈", SIGN }, { "notin", "∉", SIGN }, { "subset", "⊂", SIGN },
    { "cup", "∪", SIGN }, { "cap", "∩", SIGN }, { "to", "→", SIGN }, { "rightarrow", "→", SIGN },
    { "leftarrow", "←", SIGN }, { "Rightarrow", "⇒", SIGN }, { "Leftrightarrow", "⇔", SIGN }, { "iff", "⇔", SIGN },
    { "mapsto", "↦", SIGN }, { "times", "×", SIGN }, { "cdot", "⋅", SIGN }, { "circ", "∘", SIGN }, { "odot", "⊙", SIGN },
    { "otimes", "⊗", SIGN }, { "oplus", "⊕", SIGN }, { "pm", "±", SIGN }, { "ast", "∗", SIGN }, { "star", "⋆", SIGN },
    { "lceil", "⌈", SIGN }, { "rceil", "⌉", SIGN }, { "lfloor", "⌊", SIGN }, { "rfloor", "⌋", SIGN },
    { "langle", "⟨", SIGN }, { "rangle", "⟩", SIGN }, { "{", "{", SIGN }, { "}", "}", SIGN }, { "|", "‖", SIGN },
    { "mid", "∣", SIGN }, { "vert", "|", SIGN }, { "Vert", "‖", SIGN }, { "setminus", "∖", SIGN }, { "forall", "∀", SIGN },
    { "exists", "∃", SIGN }, { "wedge", "∧", SIGN }, { "vee", "∨", SIGN }, { "neg", "¬", SIGN }, { "colon", ":", SIGN },

    { "sum", "∑", LARGE }, { "prod", "∏", LARGE }, { "bigcup", "⋃", LARGE }, { "bigoplus", "⨁", LARGE },
    { "int", "∫", LARGE },

    { "ln", "ln", NAMED }, { "log", "log", NAMED }, { "exp", "exp", NAMED }, { "sin", "sin", NAMED },
    { "cos", "cos", NAMED }, { "tanh", "tanh", NAMED }, { "det", "det", NAMED }, { "Pr", "Pr", NAMED },
    { "max", "max", LIMIT }, { "min", "min", LIMIT }, { "sup", "sup", LIMIT }, { "inf", "inf", LIMIT },
    { "lim", "lim", LIMIT }, { "argmax", "arg max", LIMIT }, { "argmin", "arg min", LIMIT },

    { ",", ".17em", SPACE }, { ":", ".22em", SPACE }, { ";", ".28em", SPACE }, { " ", ".28em", SPACE },
    { "!", "-.17em", SPACE }, { "quad", "1em", SPACE }, { "qquad", "2em", SPACE },

    { "bar", "¯", ACCENT }, { "overline", "¯", ACCENT }, { "hat", "^", ACCENT }, { "tilde", "~", ACCENT },
    { "vec", "→", ACCENT }, { "dot", "˙", ACCENT },
};

const Symbol *mathml_symbol(const char *name)
{
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (strcmp(symbols[i].name, name) == 0)
            return &symbols[i];
    return NULL;
}
