// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_SPAWN_H
#define GATEHOUSE_SPAWN_H
#endif
