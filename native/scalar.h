/* Integers modulo n, the prime order of the group (protocol reference 5.6): five words, the lowest first.
 *
 * Scalars are canonical (below n) and mostly secret: nothing here branches on one.
 */
#ifndef LIGHTERMAN_SCALAR_H
#define LIGHTERMAN_SCALAR_H

#include "goldilocks.h"

#define SCALAR_WORDS 5
#define SCALAR_BYTES 40
#define SCALAR_TOP_MASK 0x7FFFFFFFFFFFFFFFULL /* n has 319 bits */

typedef struct {
    u64 w[SCALAR_WORDS];
} scalar;

static const scalar N = {
    {0xe80fd996948bffe1, 0xe8885c39d724a09c, 0x7fffffe6cfb80639, 0x7ffffff100000016, 0x7ffffffd80000007}};
/* (2^320)^2 mod n, -1/n mod 2^64 and (2^320 - 1) mod n. */
static const scalar MONTGOMERY_SQUARE = {
    {0xa01001dce33dc739, 0x6c3228d33f62accf, 0xd1d796cc91cf8525, 0xaadfff5d1574c1d8, 0x4aca13b28ca251f5}};
static const u64 MONTGOMERY_FACTOR = 0xd78bef72057b7bdf;
static const scalar ALL_DIGITS = {
    {0x2fe04cd2d6e8003d, 0x2eef478c51b6bec6, 0x00000032608ff38c, 0x0000001dffffffd3, 0x00000004fffffff1}};

/* Set a + b in 320 bits and return the carry. */
static inline u64 words_add(scalar *sum, const scalar *a, const scalar *b) {
    u64 carry = 0;
    for (int i = 0; i < SCALAR_WORDS; i++) {
        u128 word = (u128)a->w[i] + b->w[i] + carry;
        sum->w[i] = (u64)word;
        carry = (u64)(word >> 64);
    }
    return carry;
}

/* Set a - b in 320 bits and return the borrow. */
static inline u64 words_sub(scalar *difference, const scalar *a, const scalar *b) {
    u64 borrow = 0;
    for (int i = 0; i < SCALAR_WORDS; i++) {
        u128 word = (u128)a->w[i] - b->w[i] - borrow;
        difference->w[i] = (u64)word;
        borrow = (u64)(word >> 64) & 1;
    }
    return borrow;
}

/* Add n where the mask is set. */
static inline void words_add_n(scalar *a, u64 mask) {
    scalar masked;
    for (int i = 0; i < SCALAR_WORDS; i++) {
        masked.w[i] = N.w[i] & mask;
    }
    words_add(a, a, &masked);
}

/* Subtract n from a number below 2 n unless it is below n. */
static inline void scalar_subtract_n_once(scalar *a) {
    u64 borrow = words_sub(a, a, &N);
    words_add_n(a, mask_of(borrow));
}

/* Return 1 for a number in [0, n), else 0. */
static inline u64 scalar_is_canonical(const scalar *a) {
    scalar difference;
    u64 borrow = words_sub(&difference, a, &N);
    wipe(&difference, sizeof difference);
    return borrow;
}

static inline u64 scalar_is_zero(const scalar *a) {
    u64 bits = a->w[0] | a->w[1] | a->w[2] | a->w[3] | a->w[4];
    return 1 ^ ((bits | ((u64)0 - bits)) >> 63);
}

/* Bring any 320-bit number below n: it holds n twice at most. */
static inline void scalar_reduce(scalar *a) {
    scalar_subtract_n_once(a);
    scalar_subtract_n_once(a);
}

static inline void scalar_load(scalar *a, const uint8_t *bytes) {
    for (int i = 0; i < SCALAR_WORDS; i++) {
        a->w[i] = load_word(bytes + 8 * i);
    }
}

static inline void scalar_store(uint8_t *bytes, const scalar *a) {
    for (int i = 0; i < SCALAR_WORDS; i++) {
        store_word(bytes + 8 * i, a->w[i]);
    }
}

static inline void scalar_sub(scalar *difference, const scalar *a, const scalar *b) {
    u64 borrow = words_sub(difference, a, b);
    words_add_n(difference, mask_of(borrow));
}

/* Set a b / 2^320 mod n (Montgomery, word by word; the running sum stays below 2 n). */
static void scalar_montgomery(scalar *product, const scalar *a, const scalar *b) {
    u64 sum[SCALAR_WORDS + 2] = {0};
    for (int i = 0; i < SCALAR_WORDS; i++) {
        u64 carry = 0;
        for (int j = 0; j < SCALAR_WORDS; j++) {
            u128 word = (u128)a->w[i] * b->w[j] + sum[j] + carry;
            sum[j] = (u64)word;
            carry = (u64)(word >> 64);
        }
        u128 top = (u128)sum[SCALAR_WORDS] + carry;
        sum[SCALAR_WORDS] = (u64)top;
        sum[SCALAR_WORDS + 1] = (u64)(top >> 64);
        u64 factor = sum[0] * MONTGOMERY_FACTOR;
        carry = (u64)(((u128)factor * N.w[0] + sum[0]) >> 64);
        for (int j = 1; j < SCALAR_WORDS; j++) {
            u128 word = (u128)factor * N.w[j] + sum[j] + carry;
            sum[j - 1] = (u64)word;
            carry = (u64)(word >> 64);
        }
        top = (u128)sum[SCALAR_WORDS] + carry;
        sum[SCALAR_WORDS - 1] = (u64)top;
        sum[SCALAR_WORDS] = sum[SCALAR_WORDS + 1] + (u64)(top >> 64);
    }
    memcpy(product->w, sum, sizeof product->w); /* below 2 n < 2^320: the sixth word is 0 */
    scalar_subtract_n_once(product);
    wipe(sum, sizeof sum);
}

/* Set t with k = the sum of (bit i of t ? +2^i : -2^i) over 320 bits, modulo n: (k + 2^320 - 1) / 2. */
static void scalar_signed_digits(scalar *t, const scalar *k) {
    words_add(t, k, &ALL_DIGITS); /* both below n < 2^319: no carry */
    scalar_subtract_n_once(t);
    words_add_n(t, mask_of(t->w[0] & 1));
    for (int i = 0; i < SCALAR_WORDS - 1; i++) {
        t->w[i] = t->w[i] >> 1 | t->w[i + 1] << 63;
    }
    t->w[SCALAR_WORDS - 1] >>= 1;
}

#endif
