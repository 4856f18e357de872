// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_CHTTPPARSER_SHIM_H
#define GATEHOUSE_CHTTPPARSER_SHIM_H
#include <http_parser.h>
#endif
