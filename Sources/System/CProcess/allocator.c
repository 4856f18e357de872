// Gatehouse. SPDX-License-Identifier: MIT
#include "CProcess.h"
#include <malloc.h>

void gatehouse_keep_freed_memory(int bytes) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, bytes);
}
