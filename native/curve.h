/* The group ECgFp5 in the fractional coordinates of curve.py: a point is (A : Z : U : T) with
 * x = b A/Z and u = x/y = U/T; the one addition formula is complete. Encoded as w = T/U.
 *
 * Multiplication by a comb table, as in curve.py but with other measures: 16 combs of 5 teeth
 * and 4 steps make 64 additions and 3 doublings out of a table of 20 KiB. Every step adds exactly
 * one entry, whatever the scalar. A secret scalar reads all 16 entries to take one.
 */
#ifndef LIGHTERMAN_CURVE_H
#define LIGHTERMAN_CURVE_H

#include "extension.h"
#include "scalar.h"

#define B_FACTOR 263 /* b = 263 X */
#define COMBS 16
#define TEETH 5
#define STEPS 4 /* combs * teeth * steps = 320 digits */
#define ENTRIES 16 /* 2^(teeth - 1): the other half are the negatives */

typedef struct {
    gf5 a, z, u, t;
} point;

typedef struct { /* Z = T = 1 */
    gf5 a, u;
} affine;

typedef struct {
    affine entries[COMBS][ENTRIES];
} comb_table;

static const point NEUTRAL = {{{0}}, {{1}}, {{0}}, {{1}}};

/* Combine the products and cross sums of two points into their sum. */
static inline point finish(gf5 aa, gf5 zz, gf5 uu, gf5 tt, gf5 az, gf5 ut) {
    gf5 baa = gf5_shift(aa, B_FACTOR);
    gf5 uu_twice = gf5_add(uu, uu);
    gf5 sum = gf5_add(zz, baa);
    gf5 first = gf5_mul(tt, sum);
    gf5 second = gf5_mul(uu_twice, gf5_add(sum, gf5_shift(az, B_FACTOR)));
    point result;
    result.a = gf5_sub(gf5_mul(gf5_add(tt, uu_twice), gf5_add(az, sum)), first);
    result.z = gf5_sub(first, second);
    result.u = gf5_mul(ut, gf5_sub(zz, baa));
    result.t = gf5_add(first, second);
    return result;
}

static point point_add(const point *p, const point *q) {
    gf5 aa = gf5_mul(p->a, q->a), zz = gf5_mul(p->z, q->z);
    gf5 uu = gf5_mul(p->u, q->u), tt = gf5_mul(p->t, q->t);
    gf5 az = gf5_mul(gf5_add(p->a, p->z), gf5_add(q->a, q->z));
    gf5 ut = gf5_mul(gf5_add(p->u, p->t), gf5_add(q->u, q->t));
    return finish(aa, zz, uu, tt, gf5_sub(az, gf5_add(aa, zz)), gf5_sub(ut, gf5_add(uu, tt)));
}

static point point_add_affine(const point *p, const affine *q) {
    gf5 aa = gf5_mul(p->a, q->a), uu = gf5_mul(p->u, q->u);
    gf5 az = gf5_add(p->a, gf5_mul(q->a, p->z));
    gf5 ut = gf5_add(p->u, gf5_mul(q->u, p->t));
    return finish(aa, p->z, uu, p->t, az, ut);
}

static gf5 point_encode(const point *p) { return gf5_mul(p->t, gf5_inverse(p->u)); }

/* Set the point that encodes to w and return 1, or return 0: see decode in curve.py. */
static int point_decode_public(point *p, gf5 w) {
    if (gf5_is_zero_public(w)) {
        *p = NEUTRAL;
        return 1;
    }
    const gf5 two = {{2}}, half = {{(P + 1) / 2}}, four_b = {{0, 4 * B_FACTOR}};
    gf5 total = gf5_sub(gf5_mul(w, w), two), root;
    if (!gf5_square_root_public(&root, gf5_sub(gf5_mul(total, total), four_b))) {
        return 0;
    }
    gf5 other = gf5_mul(gf5_add(total, root), half);
    if (!gf5_is_square_public(other)) {
        other = gf5_sub(total, other);
    }
    p->a = gf5_inverse(other);
    p->u = gf5_inverse(w);
    p->z = p->t = GF5_ONE;
    return 1;
}

/* Divide by Z and T, with one inversion for all: each product's inverse is peeled off in turn. */
static void to_affine(affine *affines, gf5 *products, const point *points, int count) {
    gf5 rest = GF5_ONE;
    for (int i = 0; i < count; i++) {
        products[i] = rest;
        rest = gf5_mul(rest, gf5_mul(points[i].z, points[i].t));
    }
    rest = gf5_inverse(rest);
    for (int i = count - 1; i >= 0; i--) {
        gf5 inverse = gf5_mul(rest, products[i]); /* 1 / (Z T) of this point */
        affines[i].a = gf5_mul(points[i].a, gf5_mul(inverse, points[i].t));
        affines[i].u = gf5_mul(points[i].u, gf5_mul(inverse, points[i].z));
        rest = gf5_mul(rest, gf5_mul(points[i].z, points[i].t));
    }
}

/* Fill one comb's entries: tooth 4 plus or minus each other tooth, tooth l with the sign of bit l. */
static void comb_entries(point *entries, const point *teeth) {
    entries[0] = teeth[TEETH - 1];
    for (int tooth = 0; tooth < TEETH - 1; tooth++) {
        point negative = teeth[tooth];
        negative.u = gf5_negative(negative.u);
        entries[0] = point_add(&entries[0], &negative);
    }
    for (int tooth = 0, filled = 1; tooth < TEETH - 1; tooth++, filled *= 2) {
        point twice = point_add(&teeth[tooth], &teeth[tooth]);
        for (int i = 0; i < filled; i++) {
            entries[filled + i] = point_add(&entries[i], &twice);
        }
    }
}

/* Scratch for `comb_build`: 60 KiB that do not belong on a stack. */
typedef struct {
    point points[COMBS * ENTRIES];
    gf5 products[COMBS * ENTRIES];
} comb_scratch;

/* Build the table of a point: tooth l of comb c is 2^(4 (l + 5 c)) times it. */
static void comb_build(comb_table *table, comb_scratch *scratch, const point *base) {
    point tooth = *base;
    for (int comb = 0; comb < COMBS; comb++) {
        point teeth[TEETH];
        for (int i = 0; i < TEETH; i++) {
            teeth[i] = tooth;
            for (int doubling = 0; doubling < STEPS; doubling++) {
                tooth = point_add(&tooth, &tooth);
            }
        }
        comb_entries(scratch->points + comb * ENTRIES, teeth);
    }
    to_affine(&table->entries[0][0], scratch->products, scratch->points, COMBS * ENTRIES);
}

/* Return the five digits of a comb at a step, as bits. */
static inline u64 comb_digits(const scalar *t, int comb, int step) {
    u64 digits = 0;
    for (int tooth = 0; tooth < TEETH; tooth++) {
        int position = STEPS * (tooth + TEETH * comb) + step;
        digits |= (t->w[position / 64] >> (position % 64) & 1) << tooth;
    }
    return digits;
}

/* Take entry `index` (its low 4 bits) by reading all of them, negated where the mask is set. */
static inline void entry_of(affine *entry, const affine *entries, u64 index, u64 is_negative) {
    memset(entry, 0, sizeof *entry);
    for (u64 i = 0; i < ENTRIES; i++) {
        u64 difference = (i ^ index) & (ENTRIES - 1);
        u64 mask = mask_of(((difference - 1) >> 63) & 1);
        for (int j = 0; j < DEGREE; j++) {
            entry->a.c[j] |= entries[i].a.c[j] & mask;
            entry->u.c[j] |= entries[i].u.c[j] & mask;
        }
    }
    entry->u = gf5_select(is_negative, gf5_negative(entry->u), entry->u);
}

/* Set secret * base and encode it; what was on the way is overwritten. */
static APART void multiply_secret(gf5 *encoded, const comb_table *table, const scalar *secret) {
    scalar digits;
    affine entry;
    point sum = NEUTRAL;
    scalar_signed_digits(&digits, secret);
    for (int step = STEPS - 1; step >= 0; step--) {
        if (step < STEPS - 1) {
            sum = point_add(&sum, &sum);
        }
        for (int comb = 0; comb < COMBS; comb++) {
            u64 bits = comb_digits(&digits, comb, step);
            u64 is_negative = mask_of(1 ^ (bits >> (TEETH - 1)));
            entry_of(&entry, table->entries[comb], bits ^ is_negative, is_negative);
            sum = point_add_affine(&sum, &entry);
        }
    }
    *encoded = point_encode(&sum);
    wipe(&digits, sizeof digits);
    wipe(&entry, sizeof entry);
    wipe(&sum, sizeof sum);
}

static inline void add_entry_public(point *sum, const comb_table *table, u64 bits, int comb) {
    u64 is_negative = (u64)0 - (1 ^ (bits >> (TEETH - 1)));
    affine entry = table->entries[comb][(bits ^ is_negative) & (ENTRIES - 1)];
    if (is_negative) {
        entry.u = gf5_negative(entry.u);
    }
    *sum = point_add_affine(sum, &entry);
}

/* Return s * left + e * right, encoded; they share the doublings. */
static gf5 multiply_public(const comb_table *left, const scalar *s, const comb_table *right, const scalar *e) {
    scalar left_digits, right_digits;
    point sum = NEUTRAL;
    scalar_signed_digits(&left_digits, s);
    scalar_signed_digits(&right_digits, e);
    for (int step = STEPS - 1; step >= 0; step--) {
        if (step < STEPS - 1) {
            sum = point_add(&sum, &sum);
        }
        for (int comb = 0; comb < COMBS; comb++) {
            add_entry_public(&sum, left, comb_digits(&left_digits, comb, step), comb);
            add_entry_public(&sum, right, comb_digits(&right_digits, comb, step), comb);
        }
    }
    return point_encode(&sum);
}

#endif
