// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CUV_SHIM_H
#define GATEHOUSE_CUV_SHIM_H
#include <uv.h>
#endif
