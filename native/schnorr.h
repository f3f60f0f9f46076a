/* Schnorr signatures over ECgFp5 (protocol reference 5.7), as schnorr.py has them:
 *
 *     sign:    r = encode(k G);  e = H5(r | m) mod n;  s = k - e * secret mod n;  signature = s | e
 *     verify:  R = s G + e PK;   valid exactly when H5(encode(R) | m) mod n == e
 */
#ifndef LIGHTERMAN_SCHNORR_H
#define LIGHTERMAN_SCHNORR_H

#include "curve.h"
#include "poseidon2.h"

#define MESSAGE_WORDS 5
#define SIGNATURE_BYTES (2 * SCALAR_BYTES)

/* A signature number and what it commits to: used once, then wiped. */
typedef struct {
    scalar k;
    gf5 r;
} prepared_pair;

static void challenge(scalar *e, const gf5 *r, const u64 message[MESSAGE_WORDS]) {
    u64 words[DEGREE + MESSAGE_WORDS];
    memcpy(words, r->c, sizeof r->c);
    memcpy(words + DEGREE, message, MESSAGE_WORDS * sizeof *message);
    sponge(e->w, SCALAR_WORDS, words, DEGREE + MESSAGE_WORDS);
    scalar_reduce(e);
}

/* Sign with a pair that no other signature has seen; `secret` times 2^320 mod n. The pair is wiped. */
static APART void sign_with(
    uint8_t signature[SIGNATURE_BYTES], const u64 message[MESSAGE_WORDS], const scalar *secret, prepared_pair *pair) {
    scalar e, product, s;
    challenge(&e, &pair->r, message);
    scalar_montgomery(&product, &e, secret);
    scalar_sub(&s, &pair->k, &product);
    wipe(pair, sizeof *pair);
    wipe(&product, sizeof product);
    scalar_store(signature, &s);
    scalar_store(signature + SCALAR_BYTES, &e);
}

/* Tell whether a signature is valid; s and e must be canonical, so that it has one spelling. */
static int is_valid(
    const comb_table *generator, const comb_table *key, const u64 message[MESSAGE_WORDS],
    const uint8_t signature[SIGNATURE_BYTES]) {
    scalar s, e, expected;
    scalar_load(&s, signature);
    scalar_load(&e, signature + SCALAR_BYTES);
    if (!scalar_is_canonical(&s) || !scalar_is_canonical(&e)) {
        return 0;
    }
    gf5 r = multiply_public(generator, &s, key, &e);
    challenge(&expected, &r, message);
    return memcmp(expected.w, e.w, sizeof e.w) == 0;
}

#endif
