/* SPDX-License-Identifier: Apache-2.0 */
#include "count.h"

_Thread_local Counts counts;
