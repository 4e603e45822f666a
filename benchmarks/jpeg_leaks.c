/* Drives turbo.c over damaged copies of JPEG files, for AddressSanitizer or valgrind to watch.

   jpeg_leaks COPIES FILES...: each file whole, cut at many lengths and COPIES times mutated (seeded) is
   read, decoded, written and encoded, with warnings as errors and not. Buffers have exactly the size
   that the interface asks for, so that one byte too many is seen. Prints counts of outcomes. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turbo.h"

#define CUTS 200
#define CODES 7

static long outcomes[CODES];
static uint64_t state = 0x9E3779B97F4A7C15u;

static uint64_t next_random(void) { /* xorshift64 */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void write_again(const turbo_frame *frame, short *const *planes,
                        const unsigned short *tables, const unsigned char *pixels) {
    turbo_settings settings = {.width = frame->width, .height = frame->height,
                               .components = frame->components};
    turbo_report report;
    settings.h_samp = frame->components == 1 ? 1 : frame->h_samp[0];
    settings.v_samp = frame->components == 1 ? 1 : frame->v_samp[0];
    for (int c = 0; c < frame->components; c++) {
        settings.blocks_y[c] = frame->blocks_y[c];
        settings.blocks_x[c] = frame->padded_x[c]; /* a mismatch where there is padding */
        settings.table_slot[c] = c;
        for (int i = 0; i < 64; i++)
            settings.tables[c][i] = tables[c * 64 + i] > 255 ? 255 : (unsigned char)tables[c * 64 + i];
    }
    for (int progressive = 0; progressive < 2; progressive++) {
        turbo_output output = {NULL, 0};
        settings.progressive = progressive;
        settings.shared_huffman = settings.jfif = !progressive;
        outcomes[turbo_write_coefficients(&settings, (const short *const *)planes, &output, &report)]++;
        turbo_free(&output);
        outcomes[turbo_encode(&settings, pixels, &output, &report)]++;
        turbo_free(&output);
    }
    for (int c = 0; c < frame->components; c++)
        settings.blocks_y[c] = frame->padded_y[c];
    outcomes[turbo_transform(&settings, pixels, planes, &report)]++;
}

static void try_bytes(const unsigned char *bytes, size_t size, int warnings_are_errors) {
    turbo_limits limits = {.max_pixels = 1 << 18, .max_memory_bytes = 1 << 24, .max_scans = 20,
                           .warnings_are_errors = warnings_are_errors};
    turbo_frame frame;
    turbo_report report;
    unsigned char *data = malloc(size ? size : 1);
    memcpy(data, bytes, size);
    outcomes[turbo_read_frame(data, size, &limits, &frame, &report)]++;
    if (report.code == TURBO_OK) {
        const unsigned char *files[] = {data};
        short *planes[3] = {NULL, NULL, NULL};
        unsigned short *tables = malloc((size_t)frame.components * 64 * sizeof *tables);
        unsigned char *pixels = malloc((size_t)frame.width * frame.height * frame.components);
        for (int c = 0; c < frame.components; c++)
            planes[c] = malloc((size_t)frame.padded_y[c] * frame.padded_x[c] * 64 * sizeof(short));
        int read = turbo_read_coefficients(files, &size, 1, &limits, &frame, planes, tables, &report);
        int decoded = turbo_decode(data, size, &limits, &frame, 0, pixels, &report);
        outcomes[read]++;
        outcomes[decoded]++;
        if (read == TURBO_OK && decoded == TURBO_OK)
            write_again(&frame, planes, tables, pixels);
        for (int c = 0; c < frame.components; c++)
            free(planes[c]);
        free(pixels);
        free(tables);
    }
    free(data);
}

static void try_file(const unsigned char *data, size_t size, long copies) {
    unsigned char *copy = malloc(size);
    for (int strict = 0; strict < 2; strict++) {
        try_bytes(data, size, strict);
        for (size_t i = 0; i < CUTS; i++)
            try_bytes(data, size * i / CUTS, strict);
        for (long i = 0; i < copies; i++) {
            memcpy(copy, data, size);
            for (uint64_t changes = 1 + next_random() % 5; changes > 0; changes--)
                copy[2 + next_random() % (size - 2)] = (unsigned char)next_random();
            try_bytes(copy, size, strict);
        }
    }
    free(copy);
}

int main(int count, char **words) {
    for (int i = 2; i < count; i++) {
        static unsigned char data[1 << 20];
        FILE *file = fopen(words[i], "rb");
        size_t size = file == NULL ? 0 : fread(data, 1, sizeof data, file);
        if (size < 4) {
            fprintf(stderr, "cannot read %s\n", words[i]);
            return 2;
        }
        fclose(file);
        try_file(data, size, atol(words[1]));
    }
    printf("%s: ok %ld, damaged %ld, warning %ld, limit %ld, unsupported %ld, mismatch %ld, range %ld\n",
           turbo_version(), outcomes[0], outcomes[1], outcomes[2], outcomes[3], outcomes[4],
           outcomes[5], outcomes[6]);
    return 0;
}
