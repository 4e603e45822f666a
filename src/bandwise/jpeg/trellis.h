/* Interface of trellis.c. Plain declarations only: cffi parses this file too. */

typedef struct {
    int zigzag[64];           /* natural index of each position of the scan */
    unsigned char steps[64];  /* quantisation table, natural order */
    const float *sensitivity; /* F >= 0, natural order */
    size_t sensitivity_stride; /* values from one block to the next: 64, or 0 for one F of all */
    double slope;              /* lambda >= 0 */
    double ac_bits[256];       /* code length of each symbol 16 * run + size */
} trellis_settings;

/* Quantises `count` blocks of coefficients into `blocks`; both are (count, 64), natural order. */
void trellis_quantise(const float *coefficients, size_t count, const trellis_settings *settings,
                      short *blocks);

/* Adds the AC symbols of baseline coding of `count` blocks to a histogram; integers beyond what
   8-bit JPEG holds count as the largest that it does. */
void trellis_count(const short *blocks, size_t count, const int *zigzag, uint64_t symbols[256]);
