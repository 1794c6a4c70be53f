/* SPDX-License-Identifier: Apache-2.0 */
/* Ports and parameters of this folder, behind those of softmax_attention.h. */
#ifndef FLASH_ATTENTION_H
#define FLASH_ATTENTION_H

#include "../core/softmax_attention.h"

enum { BLOCK_Q = AT_PARAMS, BLOCK_K, TNEW, SPLITS, OUTLIERS };
enum {
    K_CACHE = AT_PORTS, V_CACHE, K_NEW, V_NEW, CACHE_LEN, SPLIT_START, O_PARTIAL, LSE_PARTIAL
};

#endif
