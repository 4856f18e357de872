// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_COpenSSL_SHIM_H
#define GATEHOUSE_COpenSSL_SHIM_H
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

// Swift sees no macros that look like functions, nor constants with casts in them.

// What every listener of ours is: no compression, no renegotiation, buffers only while they are needed, and sessions that
// are resumed by tickets alone, so that nothing is kept here.
static inline void gatehouse_tls_set_up(SSL_CTX *_Nonnull context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int gatehouse_tls_set_minimum(SSL_CTX *_Nonnull context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

// Whether the error is that a client spoke plain HTTP.
static inline int gatehouse_tls_is_plain_http(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
}

static inline int gatehouse_tls_is_system_error(unsigned long error) {
    return ERR_SYSTEM_ERROR(error) ? ERR_GET_REASON(error) : 0;
}

static inline void gatehouse_bio_wants_input(BIO *_Nonnull bio) {
    BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
}

static inline void gatehouse_bio_wants_nothing(BIO *_Nonnull bio) {
    BIO_clear_flags(bio, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
}
#endif
