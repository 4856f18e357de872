// Gatehouse. SPDX-License-Identifier: MIT
#ifndef GATEHOUSE_COpenSSL_SHIM_H
#define GATEHOUSE_COpenSSL_SHIM_H
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

// What OpenSSL has as macros, which Swift does not see.

static inline int gatehouse_tls_choose_http(
    SSL *ssl, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
    unsigned int in_length, void *unused)
{
    static const unsigned char http[] = "\x08http/1.1";
    (void)ssl;
    (void)unused;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_length, http, sizeof http - 1, in, in_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

// Sets what every server of ours has in common; 1 if all of it was taken.
static inline int gatehouse_tls_prepare(SSL_CTX *context, int only_1_3)
{
    SSL_CTX_set_options(
        context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE
            | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, gatehouse_tls_choose_http, NULL);
    return SSL_CTX_set_min_proto_version(context, only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1
        && SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
}

static inline void gatehouse_bio_is_endless(BIO *bio)
{
    BIO_set_mem_eof_return(bio, -1);
}

static inline int gatehouse_is_plain_http(unsigned long error)
{
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST;
}
#endif
