// Gatehouse. SPDX-License-Identifier: MIT
#include "CProcess.h"
