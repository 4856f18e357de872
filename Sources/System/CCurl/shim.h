// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CCurl_SHIM_H
#define GATEHOUSE_CCurl_SHIM_H
#include <curl/curl.h>
#endif
