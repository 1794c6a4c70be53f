/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and parameters of this folder, behind those of softmax_attention.h. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include "../core/softmax_attention.h"

enum { KEEP_P = AT_PARAMS };
enum { P = AT_PORTS };

#endif
