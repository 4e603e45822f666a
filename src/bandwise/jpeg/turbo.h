/* Interface of turbo.c. Plain declarations only: cffi parses this file too. */

enum {
    TURBO_OK = 0,
    TURBO_DAMAGED = 1,     /* libjpeg refused the data or the settings */
    TURBO_WARNING = 2,     /* libjpeg warned and warnings are errors */
    TURBO_LIMIT = 3,       /* pixels, scans or memory over the limits */
    TURBO_UNSUPPORTED = 4, /* a valid JPEG of a kind that is not supported */
    TURBO_MISMATCH = 5,    /* another block layout than the caller prepared for */
    TURBO_RANGE = 6        /* a coefficient that 8-bit JPEG cannot hold */
};

typedef struct {
    uint64_t max_pixels;
    uint64_t max_memory_bytes;
    int max_scans;
    int warnings_are_errors;
} turbo_limits;

typedef struct {
    int code;
    int file;          /* index of the failing file in a list */
    int warning_count; /* libjpeg warnings so far */
    char message[256]; /* the error, or else the first warning */
} turbo_report;

typedef struct {
    int width, height;
    int components;   /* 1: grey, 3: colour */
    int is_rgb;       /* components are R, G, B instead of Y, Cb, Cr */
    int has_metadata; /* an APP1 or APP2 segment is present */
    int h_samp[3], v_samp[3];
    int blocks_y[3], blocks_x[3];
    int padded_y[3], padded_x[3]; /* to whole minimum coded units */
} turbo_frame;

typedef struct {
    int width, height;
    int components;
    int h_samp, v_samp;           /* of luma; chroma is (1, 1) */
    int blocks_y[3], blocks_x[3]; /* of the planes, where these are given or asked for */
    int progressive, optimise;
    int shared_huffman; /* one pair of Huffman tables for all components; not progressive */
    int jfif;           /* write the JFIF marker segment */
    int table_slot[3];
    unsigned char tables[3][64]; /* natural order, one a component */
    const unsigned char *exif, *icc;
    size_t exif_size, icc_size;
} turbo_settings;

typedef struct {
    unsigned char *data;
    size_t size;
} turbo_output;

/* Each returns report->code. No state outlives a call, whatever happens in it. */

int turbo_read_frame(const unsigned char *data, size_t size, const turbo_limits *limits,
                     turbo_frame *frame, turbo_report *report);

/* Reads `count` files of one layout. planes[c] is (count, padded_y, padded_x, 64) and tables
   (count, components, 64), both in natural order. */
int turbo_read_coefficients(const unsigned char *const *files, const size_t *sizes, int count,
                            const turbo_limits *limits, const turbo_frame *expected,
                            short *const *planes, unsigned short *tables, turbo_report *report);

/* Decodes into pixels (height, width, 1 or 3); fast: the fast inverse DCT, chroma repeated. */
int turbo_decode(const unsigned char *data, size_t size, const turbo_limits *limits,
                 const turbo_frame *expected, int fast, unsigned char *pixels, turbo_report *report);

/* Coefficients that turbo_encode would write; the planes are padded to whole minimum coded units. */
int turbo_transform(const turbo_settings *settings, const unsigned char *pixels,
                    short *const *planes, turbo_report *report);

/* The output of these two is freed with turbo_free. */
int turbo_encode(const turbo_settings *settings, const unsigned char *pixels,
                 turbo_output *output, turbo_report *report);
int turbo_write_coefficients(const turbo_settings *settings, const short *const *planes,
                             turbo_output *output, turbo_report *report);
void turbo_free(turbo_output *output);

const char *turbo_version(void);
