// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_COpenSSL_SHIM_H
#define GATEHOUSE_COpenSSL_SHIM_H
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#endif
