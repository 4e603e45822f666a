/* Rate-distortion optimised quantisation of the blocks of one component.

   A block costs 1/2 sum F (x - q z)^2 + lambda * bits, where bits are those of baseline Huffman
   coding: a code for each run of zeros and the size of the integer after it, `size` further bits
   for the integer itself, ZRL for 16 zeros, EOB after the last integer (ITU-T T.81, F.1.2.2).

   A path through the nonzero positions of a block in zigzag order is a choice of integers: the
   cheapest path that ends at a position extends the cheapest one to some earlier position, so
   dynamic programming finds the minimum. Within one size the integer nearest to x / q is the best:
   hence few candidates stand for all integers from zero to the rounded one. */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "trellis.h"

#define POSITIONS 64
#define AC_SIZE_MAX 10 /* ITU-T T.81, Table F.2 */
#define AC_MAX ((1 << AC_SIZE_MAX) - 1)
#define DC_MAX 1023 /* and one more below zero */
#define EOB 0x00
#define ZRL 0xF0

typedef struct {
    int position;         /* in the scan; 0 for the start of the path */
    double zeroed_before; /* distortion of zeroing every position before this one... */
    double zeroed;        /* ...and this one too */
    int candidates;
    int size[AC_SIZE_MAX];
    int magnitude[AC_SIZE_MAX];
    double own_cost[AC_SIZE_MAX]; /* its distortion, and the bits after its code */
    double cost;                  /* of the cheapest path that ends here */
    int previous;                 /* node before this one on that path */
    int chosen;                   /* magnitude on that path */
} node;

/* Bits of a magnitude: floor(log2) + 1, and 0 of zero. */
static int size_of(int magnitude) {
    int size = 0;
    for (; magnitude > 0; magnitude >>= 1)
        size++;
    return size;
}

/* |x| / step to the nearest integer, halves upwards, at most `limit`. */
static int rounded(double x, int step, int limit) {
    double shifted = fabs(x) / step + 0.5;
    return shifted < limit ? (int)shifted : limit;
}

static short with_sign_of(double x, int magnitude) {
    return (short)(x < 0 ? -magnitude : magnitude);
}

/* The rounded magnitude, and the largest one of every smaller size. */
static void set_candidates(node *n, double x, int step, int magnitude, double half_sensitivity,
                           double slope) {
    n->candidates = 0;
    while (magnitude > 0) {
        int size = size_of(magnitude), i = n->candidates++;
        double error = fabs(x) - (double)step * magnitude;
        n->size[i] = size;
        n->magnitude[i] = magnitude;
        n->own_cost[i] = half_sensitivity * error * error + slope * size;
        magnitude = (1 << (size - 1)) - 1;
    }
}

/* Lists the nonzero positions of a rounded block, behind the start of the path. Returns their
   number; *all_zeroed is the distortion of zeroing the whole block. */
static int list_nodes(const float *x, const short *block, const trellis_settings *settings,
                      const float *sensitivity, node *nodes, double *all_zeroed) {
    int count = 0;
    double zeroed = 0;
    nodes[0] = (node){0};
    for (int position = 1; position < POSITIONS; position++) {
        int at = settings->zigzag[position];
        double half_sensitivity = 0.5 * sensitivity[at];
        double before = zeroed;
        zeroed += half_sensitivity * x[at] * x[at];
        if (block[at] != 0) {
            node *n = &nodes[++count];
            n->position = position;
            n->zeroed_before = before;
            n->zeroed = zeroed;
            set_candidates(n, x[at], settings->steps[at], abs(block[at]), half_sensitivity,
                           settings->slope);
        }
    }
    *all_zeroed = zeroed;
    return count;
}

/* Finds the cheapest path that ends at nodes[last]; those to earlier nodes are known. */
static void extend_path(node *nodes, int last, const trellis_settings *settings) {
    node *end = &nodes[last];
    end->cost = INFINITY;
    for (int i = last - 1; i >= 0; i--) {
        double skipped = end->zeroed_before - nodes[i].zeroed;
        int run = end->position - nodes[i].position - 1;
        double before =
            nodes[i].cost + skipped + settings->slope * (run >> 4) * settings->ac_bits[ZRL];
        const double *code_bits = &settings->ac_bits[(run & 15) << 4];
        if (skipped >= end->cost)
            return; /* earlier nodes skip more */
        for (int c = 0; c < end->candidates; c++) {
            double cost = before + end->own_cost[c] + settings->slope * code_bits[end->size[c]];
            if (cost < end->cost) {
                end->cost = cost;
                end->previous = i;
                end->chosen = end->magnitude[c];
            }
        }
    }
}

static int cheapest_end(const node *nodes, int count, double all_zeroed,
                        const trellis_settings *settings) {
    int best = 0;
    double least = INFINITY;
    for (int i = count; i >= 0; i--) {
        double cost = nodes[i].cost + all_zeroed - nodes[i].zeroed;
        if (nodes[i].position < POSITIONS - 1)
            cost += settings->slope * settings->ac_bits[EOB];
        if (cost < least) {
            least = cost;
            best = i;
        }
    }
    return best;
}

static void round_block(const float *x, const trellis_settings *settings, short *block) {
    block[0] = with_sign_of(x[0], rounded(x[0], settings->steps[0], DC_MAX + (x[0] < 0)));
    for (int at = 1; at < POSITIONS; at++)
        block[at] = with_sign_of(x[at], rounded(x[at], settings->steps[at], AC_MAX));
}

/* Changes the AC integers of a rounded block to the cheapest ones. */
static void optimise_block(const float *x, const trellis_settings *settings,
                           const float *sensitivity, short *block) {
    node nodes[POSITIONS];
    double all_zeroed;
    int count = list_nodes(x, block, settings, sensitivity, nodes, &all_zeroed);
    for (int i = 1; i <= count; i++)
        extend_path(nodes, i, settings);
    for (int at = 1; at < POSITIONS; at++)
        block[at] = 0;
    for (int i = cheapest_end(nodes, count, all_zeroed, settings); i > 0; i = nodes[i].previous) {
        int at = settings->zigzag[nodes[i].position];
        block[at] = with_sign_of(x[at], nodes[i].chosen);
    }
}

void trellis_quantise(const float *coefficients, size_t count, const trellis_settings *settings,
                      short *blocks) {
    for (size_t i = 0; i < count; i++) {
        const float *x = coefficients + i * POSITIONS;
        short *block = blocks + i * POSITIONS;
        round_block(x, settings, block);
        if (settings->slope > 0)
            optimise_block(x, settings, settings->sensitivity + i * settings->sensitivity_stride,
                           block);
    }
}

void trellis_count(const short *blocks, size_t count, const int *zigzag, uint64_t symbols[256]) {
    for (size_t i = 0; i < count; i++) {
        const short *block = blocks + i * POSITIONS;
        int run = 0;
        for (int position = 1; position < POSITIONS; position++) {
            int value = block[zigzag[position]];
            if (value == 0) {
                run++;
                continue;
            }
            symbols[ZRL] += (uint64_t)(run >> 4);
            symbols[(run & 15) << 4 | size_of(rounded(value, 1, AC_MAX))]++;
            run = 0;
        }
        symbols[EOB] += run > 0;
    }
}
