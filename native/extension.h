/* GF(p^5) = GF(p)[X] / (X^5 - 3): five words as one field element (protocol reference 5.1). */
#ifndef LIGHTERMAN_EXTENSION_H
#define LIGHTERMAN_EXTENSION_H

#include "goldilocks.h"

#define DEGREE 5
#define ELEMENT_BYTES 40
#define NON_RESIDUE 3 /* X^5 = 3 */

typedef struct {
    u64 c[DEGREE];
} gf5;

static const gf5 GF5_ZERO = {{0, 0, 0, 0, 0}};
static const gf5 GF5_ONE = {{1, 0, 0, 0, 0}};

/* FROBENIUS[t - 1][i] = root^(t i), root = 1041288259238279555 a fifth root of unity. */
static const u64 FROBENIUS[3][DEGREE] = {
    {1, 0x0e736627a0aeb983, 0xdb8edc802dc0b266, 0x02efb5c2a6f35241, 0x130e07948a9d41d6},
    {1, 0xdb8edc802dc0b266, 0x130e07948a9d41d6, 0x0e736627a0aeb983, 0x02efb5c2a6f35241},
    {1, 0x02efb5c2a6f35241, 0x0e736627a0aeb983, 0x130e07948a9d41d6, 0xdb8edc802dc0b266},
};

static inline gf5 gf5_add(gf5 a, gf5 b) {
    gf5 sum;
    for (int i = 0; i < DEGREE; i++) {
        sum.c[i] = fp_add(a.c[i], b.c[i]);
    }
    return sum;
}

static inline gf5 gf5_sub(gf5 a, gf5 b) {
    gf5 difference;
    for (int i = 0; i < DEGREE; i++) {
        difference.c[i] = fp_sub(a.c[i], b.c[i]);
    }
    return difference;
}

static inline gf5 gf5_negative(gf5 a) { return gf5_sub(GF5_ZERO, a); }

/* Return mask ? a : b. */
static inline gf5 gf5_select(u64 mask, gf5 a, gf5 b) {
    gf5 chosen;
    for (int i = 0; i < DEGREE; i++) {
        chosen.c[i] = (a.c[i] & mask) | (b.c[i] & ~mask);
    }
    return chosen;
}

/* Coefficient k of a product is the sum of a_i b_j over i + j = k, and three times that over k + 5.
 * The low and the high halves of the 25 products are summed apart; each sum stays below 2^68. */
static inline gf5 gf5_mul(gf5 a, gf5 b) {
    gf5 product;
#pragma GCC unroll 5
    for (int k = 0; k < DEGREE; k++) {
        u128 low = 0, high = 0, low_beyond = 0, high_beyond = 0;
#pragma GCC unroll 5
        for (int i = 0; i < DEGREE; i++) {
            u128 term = (u128)a.c[i] * b.c[(k - i + DEGREE) % DEGREE];
            if (i <= k) {
                low += (u64)term;
                high += (u64)(term >> 64);
            } else {
                low_beyond += (u64)term;
                high_beyond += (u64)(term >> 64);
            }
        }
        low += NON_RESIDUE * low_beyond;
        high += NON_RESIDUE * high_beyond + (u64)(low >> 64);
        u64 folded = fp_reduce((u128)(u64)high << 64 | (u64)low);
        product.c[k] = fp_sub(folded, (u64)(high >> 64) << 32); /* 2^128 = -2^32 */
    }
    return product;
}

static inline gf5 gf5_scale(gf5 a, u64 word) {
    gf5 product;
    for (int i = 0; i < DEGREE; i++) {
        product.c[i] = fp_mul(a.c[i], word);
    }
    return product;
}

/* Return factor X a, for a factor below 2^32. */
static inline gf5 gf5_shift(gf5 a, u64 factor) {
    gf5 shifted;
    shifted.c[0] = fp_mul(a.c[DEGREE - 1], factor * NON_RESIDUE);
    for (int i = 1; i < DEGREE; i++) {
        shifted.c[i] = fp_mul(a.c[i - 1], factor);
    }
    return shifted;
}

/* Return a^(p^times), times 1 to 3. */
static gf5 gf5_frobenius(gf5 a, int times) {
    gf5 power;
    for (int i = 0; i < DEGREE; i++) {
        power.c[i] = fp_mul(a.c[i], FROBENIUS[times - 1][i]);
    }
    return power;
}

/* Return the norm of a, a word, and set the cofactor with a * cofactor = norm. */
static u64 gf5_norm(gf5 *cofactor, gf5 a) {
    gf5 conjugate = gf5_frobenius(a, 1);
    gf5 pair = gf5_mul(conjugate, gf5_frobenius(conjugate, 1));
    *cofactor = gf5_mul(pair, gf5_frobenius(pair, 2));
    return gf5_mul(a, *cofactor).c[0];
}

/* Return 1 / a, and 0 for 0 (so that the neutral point encodes). */
static gf5 gf5_inverse(gf5 a) {
    gf5 cofactor;
    u64 norm = gf5_norm(&cofactor, a);
    return gf5_scale(cofactor, fp_inverse(norm));
}

static int gf5_is_zero_public(gf5 a) { return (a.c[0] | a.c[1] | a.c[2] | a.c[3] | a.c[4]) == 0; }

/* Tell whether a is a square: exactly when its norm is one in GF(p); 0 is. */
static int gf5_is_square_public(gf5 a) {
    gf5 cofactor;
    return fp_power(gf5_norm(&cofactor, a), (P - 1) / 2) <= 1;
}

/* Set a square root and return 1, or return 0: see square_root in extension.py. */
static int gf5_square_root_public(gf5 *root, gf5 a) {
    gf5 cofactor, half = GF5_ONE;
    u64 norm = gf5_norm(&cofactor, a), root_of_norm;
    if (!fp_square_root_public(&root_of_norm, norm)) {
        return 0;
    }
    for (int bit = 63; bit >= 0; bit--) {
        half = gf5_mul(half, half);
        if (((P - 1) / 2 + 1) >> bit & 1) {
            half = gf5_mul(half, a);
        }
    }
    gf5 conjugates = gf5_mul(gf5_frobenius(half, 1), gf5_frobenius(half, 3));
    *root = gf5_scale(gf5_mul(a, conjugates), fp_inverse(root_of_norm)); /* 0 for 0 */
    return 1;
}

/* Read 40 bytes and return 1, or return 0 unless every word is canonical. */
static int gf5_load_public(gf5 *element, const uint8_t *bytes) {
    int is_canonical = 1;
    for (int i = 0; i < DEGREE; i++) {
        element->c[i] = load_word(bytes + 8 * i);
        is_canonical &= element->c[i] < P;
    }
    return is_canonical;
}

static void gf5_store(uint8_t *bytes, gf5 element) {
    for (int i = 0; i < DEGREE; i++) {
        store_word(bytes + 8 * i, element.c[i]);
    }
}

#endif
