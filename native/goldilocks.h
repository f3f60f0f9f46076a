/* The Goldilocks field: integers modulo p = 2^64 - 2^32 + 1 (protocol reference 5.1).
 *
 * The law of this folder: it mirrors src/lighterman/protocol/crypto, file by file, and computes
 * the same. Elements are canonical (below p) unless a comment says otherwise. Whatever a secret
 * may reach has no branch and no address that depends on it: choices are made with masks, and
 * `mask_of` hides from the compiler that they are choices. Names that end in `_public` are the
 * exceptions, for values that everybody may know.
 */
#ifndef LIGHTERMAN_GOLDILOCKS_H
#define LIGHTERMAN_GOLDILOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t u64;
__extension__ typedef unsigned __int128 u128; /* without it there is no native build */

#define P 0xFFFFFFFF00000001ULL
#define EPSILON 0xFFFFFFFFULL /* 2^64 = EPSILON, and 2^96 = -1, modulo p */
#define NON_SQUARE 7
#define TWO_ADICITY 32 /* p - 1 = 2^32 (2^32 - 1) */

/* Return all ones for 1 and 0 for 0. */
static inline u64 mask_of(u64 bit) {
    u64 mask = (u64)0 - bit;
    __asm__("" : "+r"(mask));
    return mask;
}

/* Overwrite a secret in a way the compiler may not leave out. */
static inline void wipe(void *secret, size_t bytes) {
    memset(secret, 0, bytes);
    __asm__ __volatile__("" : : "r"(secret) : "memory");
}

/* Functions that work on secrets are kept apart, so that `wipe_stack`, called after them, covers what they spilled. */
#define APART __attribute__((noinline))

static APART void wipe_stack(void) {
    u64 frames[1024];
    wipe(frames, sizeof frames);
}

/* Return any 64-bit number modulo p. */
static inline u64 fp_canonical(u64 a) {
    u64 reduced = a - P;
    return reduced + (P & mask_of(a < P));
}

static inline u64 fp_sub(u64 a, u64 b) {
    u64 difference = a - b;
    return difference + (P & mask_of(a < b));
}

static inline u64 fp_add(u64 a, u64 b) { return fp_sub(a, P - b); } /* b = 0: P stands for 0 there */

/* Return a 128-bit number modulo p, in 64 bits but perhaps not below p. */
static inline u64 fp_fold(u128 a) {
    u64 low = (u64)a, high = (u64)(a >> 64);
    u64 top = high >> 32, middle = high & EPSILON;
    u64 difference = low - top;
    difference -= EPSILON & mask_of(low < top); /* cannot borrow again: it was wrapped from above 2^64 - 2^32 */
    u64 product = (middle << 32) - middle;
    u64 sum = difference + product;
    return sum + (EPSILON & mask_of(sum < product)); /* cannot carry again: product <= 2^64 - 2^33 + 1 */
}

static inline u64 fp_reduce(u128 a) { return fp_canonical(fp_fold(a)); }

static inline u64 fp_mul(u64 a, u64 b) { return fp_reduce((u128)a * b); }

/* Return base^exponent; the time depends on the exponent, which is never secret. */
static u64 fp_power(u64 base, u64 exponent) {
    u64 result = 1;
    for (int bit = 63; bit >= 0; bit--) {
        result = fp_mul(result, result);
        if (exponent >> bit & 1) {
            result = fp_mul(result, base);
        }
    }
    return result;
}

/* Return 1 / a, and 0 for 0. */
static u64 fp_inverse(u64 a) { return fp_power(a, P - 2); }

/* Set a square root and return 1, or return 0 where there is none (Tonelli-Shanks). */
static int fp_square_root_public(u64 *root, u64 value) {
    const u64 odd = (P - 1) >> TWO_ADICITY;
    u64 found = fp_power(value, (odd + 1) / 2), rest = fp_power(value, odd), generator = fp_power(NON_SQUARE, odd);
    int order_bits = TWO_ADICITY;
    while (rest > 1) {
        u64 square = fp_mul(rest, rest);
        int bits = 1;
        for (; square != 1; bits++) {
            square = fp_mul(square, square);
        }
        if (bits == order_bits) {
            return 0;
        }
        u64 factor = generator;
        for (int i = 0; i < order_bits - bits - 1; i++) {
            factor = fp_mul(factor, factor);
        }
        generator = fp_mul(factor, factor);
        order_bits = bits;
        found = fp_mul(found, factor);
        rest = fp_mul(rest, generator);
    }
    *root = found;
    return 1;
}

/* Words travel as eight bytes, little endian, whatever the machine. */
static inline u64 load_word(const uint8_t *bytes) {
    u64 word = 0;
    for (int i = 7; i >= 0; i--) {
        word = word << 8 | bytes[i];
    }
    return word;
}

static inline void store_word(uint8_t *bytes, u64 word) {
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(word >> (8 * i));
    }
}

#endif
