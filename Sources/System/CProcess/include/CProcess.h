// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CPROCESS_H
#define GATEHOUSE_CPROCESS_H

#include "Descriptors.h"
#include "Sockets.h"
#include "Spawn.h"

/// Lets malloc keep this many freed bytes, and serve large blocks from them.
void gatehouse_keep_freed_memory(int bytes);

#endif
