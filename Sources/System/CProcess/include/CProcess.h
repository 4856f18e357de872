// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CPROCESS_H
#define GATEHOUSE_CPROCESS_H

#include "Descriptors.h"
#include "Sockets.h"
#include "Spawn.h"

#endif
