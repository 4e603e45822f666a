/* libjpeg-turbo behind a few calls that take and give memory, and never exit, print or leak.

   Every call makes one libjpeg object, works on it under setjmp, and destroys it on every path.
   What must survive a longjmp lives in a `session`, whose address libjpeg's callbacks hold. */

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "turbo.h"

#define COMPONENTS_MAX 3
#define COEFFICIENT_MAX 1023 /* ten magnitude bits: ITU-T T.81, Table F.2 */
#define METADATA_PREFIX 12   /* bytes that tell EXIF and ICC segments from others */
#define OUTPUT_INITIAL 4096
#define ROWS_PER_CALL 16

typedef struct {
    short *blocks;
    size_t row_values; /* from one row of blocks to the next */
    JDIMENSION rows, rows_zeroed;
    JBLOCKROW window[MAX_SAMP_FACTOR]; /* what libjpeg looks at now */
} block_array;

typedef struct {
    struct jpeg_error_mgr errors; /* first: libjpeg hands this address to the callbacks */
    struct jpeg_progress_mgr progress;
    struct jpeg_destination_mgr destination;
    jmp_buf on_error;
    const turbo_limits *limits;
    turbo_report *report;
    block_array arrays[COMPONENTS_MAX];
    int arrays_used;
    turbo_output *output;
    size_t capacity;
} session;

/* ------------------------------------------------------------------ errors and limits */

static session *session_of(j_common_ptr cinfo) { return (session *)cinfo->err; }

static void fail(j_common_ptr cinfo, int code, const char *message) {
    session *s = session_of(cinfo);
    s->report->code = code;
    if (message != NULL)
        snprintf(s->report->message, sizeof s->report->message, "%s", message);
    longjmp(s->on_error, 1);
}

static void keep_message(j_common_ptr cinfo) {
    char text[JMSG_LENGTH_MAX];
    cinfo->err->format_message(cinfo, text);
    snprintf(session_of(cinfo)->report->message, sizeof session_of(cinfo)->report->message, "%s",
             text);
}

static void on_error_exit(j_common_ptr cinfo) {
    int code = cinfo->err->msg_code;
    int is_memory = code == JERR_OUT_OF_MEMORY || code == JERR_NO_BACKING_STORE;
    keep_message(cinfo);
    fail(cinfo, is_memory ? TURBO_LIMIT : TURBO_DAMAGED, is_memory ? "memory" : NULL);
}

static void on_message(j_common_ptr cinfo, int level) {
    session *s = session_of(cinfo);
    if (level >= 0)
        return; /* a trace message */
    if (s->report->warning_count++ == 0)
        keep_message(cinfo);
    if (s->limits != NULL && s->limits->warnings_are_errors)
        fail(cinfo, TURBO_WARNING, NULL);
}

static void print_nothing(j_common_ptr cinfo) { (void)cinfo; }

static void on_progress(j_common_ptr cinfo) {
    if (((j_decompress_ptr)cinfo)->input_scan_number > session_of(cinfo)->limits->max_scans)
        fail(cinfo, TURBO_LIMIT, "scans");
}

static void start_session(session *s, j_common_ptr cinfo, const turbo_limits *limits,
                          turbo_report *report) {
    memset(s, 0, sizeof *s);
    memset(report, 0, sizeof *report);
    jpeg_std_error(&s->errors);
    s->errors.error_exit = on_error_exit;
    s->errors.emit_message = on_message;
    s->errors.output_message = print_nothing;
    s->progress.progress_monitor = on_progress;
    s->limits = limits;
    s->report = report;
    cinfo->err = &s->errors;
}

/* ------------------------------------------------------------------ coefficients in place

   libjpeg asks its memory manager for whole-image arrays of coefficients, and for a few rows of
   them at a time. These methods give it the caller's memory, so nothing is copied. */

static void zero_rows(block_array *array, JDIMENSION end) {
    if (end <= array->rows_zeroed)
        return;
    memset(array->blocks + array->rows_zeroed * array->row_values, 0,
           (end - array->rows_zeroed) * array->row_values * sizeof(short));
    array->rows_zeroed = end;
}

static jvirt_barray_ptr request_blocks(j_common_ptr cinfo, int pool, boolean zero,
                                       JDIMENSION columns, JDIMENSION rows, JDIMENSION access) {
    session *s = session_of(cinfo);
    block_array *array = &s->arrays[s->arrays_used++ % COMPONENTS_MAX];
    (void)pool, (void)zero, (void)access;
    if (s->arrays_used > COMPONENTS_MAX || rows != array->rows ||
        (size_t)columns * DCTSIZE2 != array->row_values)
        fail(cinfo, TURBO_MISMATCH, "block rows and columns");
    return (jvirt_barray_ptr)array;
}

static JBLOCKARRAY access_blocks(j_common_ptr cinfo, jvirt_barray_ptr opaque, JDIMENSION start,
                                 JDIMENSION count, boolean writable) {
    block_array *array = (block_array *)opaque;
    (void)cinfo;
    if (writable)
        zero_rows(array, start + count);
    for (JDIMENSION i = 0; i < count; i++)
        array->window[i] = (JBLOCKROW)(array->blocks + (start + i) * array->row_values);
    return array->window;
}

/* ------------------------------------------------------------------ reading */

static uint64_t coefficient_bytes(j_decompress_ptr cinfo) {
    uint64_t blocks = 0;
    for (int c = 0; c < cinfo->num_components; c++) {
        const jpeg_component_info *component = &cinfo->comp_info[c];
        blocks += (uint64_t)component->width_in_blocks * component->height_in_blocks;
    }
    return blocks * sizeof(JBLOCK);
}

static void create_reader(j_decompress_ptr cinfo, session *s) {
    jpeg_create_decompress(cinfo);
    cinfo->progress = &s->progress;
    cinfo->mem->max_memory_to_use = (long)s->limits->max_memory_bytes;
}

static void read_header(j_decompress_ptr cinfo, session *s, const unsigned char *data,
                        size_t size) {
    uint64_t pixels;
    jpeg_mem_src(cinfo, (unsigned char *)data, (unsigned long)size);
    jpeg_read_header(cinfo, TRUE);
    if (cinfo->data_precision != 8)
        fail((j_common_ptr)cinfo, TURBO_UNSUPPORTED, "samples of more than 8 bits");
    if (cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK)
        fail((j_common_ptr)cinfo, TURBO_UNSUPPORTED, "CMYK or YCCK colour");
    if (cinfo->num_components != 1 && cinfo->num_components != 3)
        fail((j_common_ptr)cinfo, TURBO_UNSUPPORTED, "neither one nor three components");
    pixels = (uint64_t)cinfo->image_width * cinfo->image_height;
    if (pixels > s->limits->max_pixels)
        fail((j_common_ptr)cinfo, TURBO_LIMIT, "pixels");
    if (coefficient_bytes(cinfo) > s->limits->max_memory_bytes)
        fail((j_common_ptr)cinfo, TURBO_LIMIT, "memory");
}

static int round_up(int count, int multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

static int is_metadata(jpeg_saved_marker_ptr marker) {
    static const char exif[] = "Exif\0", icc[] = "ICC_PROFILE"; /* both end in a further NUL */
    if (marker->marker == JPEG_APP0 + 1)
        return marker->data_length >= sizeof exif && !memcmp(marker->data, exif, sizeof exif);
    return marker->data_length >= sizeof icc && !memcmp(marker->data, icc, sizeof icc);
}

static void read_frame(j_decompress_ptr cinfo, session *s, const unsigned char *data, size_t size,
                       turbo_frame *frame) {
    create_reader(cinfo, s);
    jpeg_save_markers(cinfo, JPEG_APP0 + 1, METADATA_PREFIX);
    jpeg_save_markers(cinfo, JPEG_APP0 + 2, METADATA_PREFIX);
    read_header(cinfo, s, data, size);
    memset(frame, 0, sizeof *frame);
    frame->width = (int)cinfo->image_width;
    frame->height = (int)cinfo->image_height;
    frame->components = cinfo->num_components;
    frame->is_rgb = cinfo->jpeg_color_space == JCS_RGB;
    for (int c = 0; c < cinfo->num_components; c++) {
        frame->h_samp[c] = cinfo->comp_info[c].h_samp_factor;
        frame->v_samp[c] = cinfo->comp_info[c].v_samp_factor;
        frame->blocks_y[c] = (int)cinfo->comp_info[c].height_in_blocks;
        frame->blocks_x[c] = (int)cinfo->comp_info[c].width_in_blocks;
        frame->padded_y[c] = round_up(frame->blocks_y[c], frame->v_samp[c]);
        frame->padded_x[c] = round_up(frame->blocks_x[c], frame->h_samp[c]);
    }
    for (jpeg_saved_marker_ptr m = cinfo->marker_list; m != NULL; m = m->next)
        frame->has_metadata |= is_metadata(m);
}

int turbo_read_frame(const unsigned char *data, size_t size, const turbo_limits *limits,
                     turbo_frame *frame, turbo_report *report) {
    struct jpeg_decompress_struct cinfo = {0};
    session s;
    start_session(&s, (j_common_ptr)&cinfo, limits, report);
    if (!setjmp(s.on_error))
        read_frame(&cinfo, &s, data, size, frame);
    jpeg_destroy_decompress(&cinfo);
    return report->code;
}

static void read_coefficients(j_decompress_ptr cinfo, session *s, const unsigned char *data,
                              size_t size, const turbo_frame *expected,
                              unsigned short *tables) {
    create_reader(cinfo, s);
    read_header(cinfo, s, data, size);
    if (cinfo->num_components != expected->components)
        fail((j_common_ptr)cinfo, TURBO_MISMATCH, "number of components");
    if (expected->components == 3 && cinfo->jpeg_color_space != JCS_YCbCr)
        fail((j_common_ptr)cinfo, TURBO_UNSUPPORTED, "RGB components");
    for (int c = 0; c < expected->components; c++)
        if ((int)cinfo->comp_info[c].height_in_blocks != expected->blocks_y[c] ||
            (int)cinfo->comp_info[c].width_in_blocks != expected->blocks_x[c])
            fail((j_common_ptr)cinfo, TURBO_MISMATCH, "block rows and columns");
    cinfo->mem->request_virt_barray = request_blocks;
    cinfo->mem->access_virt_barray = access_blocks;
    jpeg_read_coefficients(cinfo);
    for (int c = 0; c < expected->components; c++) {
        const JQUANT_TBL *table = cinfo->comp_info[c].quant_table;
        if (table == NULL)
            fail((j_common_ptr)cinfo, TURBO_DAMAGED, "a component without coefficients");
        for (int i = 0; i < DCTSIZE2; i++)
            tables[c * DCTSIZE2 + i] = table->quantval[i];
        zero_rows(&s->arrays[c], s->arrays[c].rows);
    }
    jpeg_finish_decompress(cinfo);
}

static int read_file(const unsigned char *data, size_t size, const turbo_limits *limits,
                     const turbo_frame *expected, short *const *planes, size_t file,
                     unsigned short *tables, turbo_report *report) {
    struct jpeg_decompress_struct cinfo = {0};
    session s;
    start_session(&s, (j_common_ptr)&cinfo, limits, report);
    report->file = (int)file;
    for (int c = 0; c < expected->components; c++) {
        block_array *array = &s.arrays[c];
        array->rows = (JDIMENSION)expected->padded_y[c];
        array->row_values = (size_t)expected->padded_x[c] * DCTSIZE2;
        array->blocks = planes[c] + file * array->rows * array->row_values;
    }
    if (!setjmp(s.on_error))
        read_coefficients(&cinfo, &s, data, size, expected, tables);
    jpeg_destroy_decompress(&cinfo);
    return report->code;
}

int turbo_read_coefficients(const unsigned char *const *files, const size_t *sizes, int count,
                            const turbo_limits *limits, const turbo_frame *expected,
                            short *const *planes, unsigned short *tables, turbo_report *report) {
    size_t table_values = (size_t)expected->components * DCTSIZE2;
    int code = TURBO_OK;
    for (size_t file = 0; file < (size_t)count && code == TURBO_OK; file++)
        code = read_file(files[file], sizes[file], limits, expected, planes, file,
                         tables + file * table_values, report);
    return code;
}

static void decode(j_decompress_ptr cinfo, session *s, const unsigned char *data, size_t size,
                   const turbo_frame *expected, int fast, unsigned char *pixels) {
    size_t row_bytes = (size_t)expected->width * expected->components;
    create_reader(cinfo, s);
    read_header(cinfo, s, data, size);
    if ((int)cinfo->image_width != expected->width ||
        (int)cinfo->image_height != expected->height ||
        cinfo->num_components != expected->components)
        fail((j_common_ptr)cinfo, TURBO_MISMATCH, "size in pixels or number of components");
    cinfo->out_color_space = expected->components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    cinfo->dct_method = fast ? JDCT_IFAST : JDCT_ISLOW;
    cinfo->do_fancy_upsampling = fast ? FALSE : TRUE;
    jpeg_start_decompress(cinfo);
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW rows[ROWS_PER_CALL];
        for (int r = 0; r < ROWS_PER_CALL; r++)
            rows[r] = pixels + (cinfo->output_scanline + (size_t)r) * row_bytes;
        jpeg_read_scanlines(cinfo, rows, ROWS_PER_CALL);
    }
    jpeg_finish_decompress(cinfo);
}

int turbo_decode(const unsigned char *data, size_t size, const turbo_limits *limits,
                 const turbo_frame *expected, int fast, unsigned char *pixels, turbo_report *report) {
    struct jpeg_decompress_struct cinfo = {0};
    session s;
    start_session(&s, (j_common_ptr)&cinfo, limits, report);
    if (!setjmp(s.on_error))
        decode(&cinfo, &s, data, size, expected, fast, pixels);
    jpeg_destroy_decompress(&cinfo);
    return report->code;
}

/* ------------------------------------------------------------------ writing */

static void provide_output(session *s, size_t used) {
    s->destination.next_output_byte = s->output->data + used;
    s->destination.free_in_buffer = s->capacity - used;
}

static void grow_output(j_compress_ptr cinfo, size_t capacity) {
    session *s = session_of((j_common_ptr)cinfo);
    unsigned char *data = realloc(s->output->data, capacity);
    if (data == NULL)
        fail((j_common_ptr)cinfo, TURBO_LIMIT, "memory");
    s->output->data = data;
    s->capacity = capacity;
}

static void on_output_start(j_compress_ptr cinfo) {
    grow_output(cinfo, OUTPUT_INITIAL);
    provide_output(session_of((j_common_ptr)cinfo), 0);
}

static boolean on_output_full(j_compress_ptr cinfo) {
    session *s = session_of((j_common_ptr)cinfo);
    size_t used = s->capacity; /* libjpeg hands the whole buffer over, filled */
    grow_output(cinfo, 2 * used);
    provide_output(s, used);
    return TRUE;
}

static void on_output_end(j_compress_ptr cinfo) {
    session *s = session_of((j_common_ptr)cinfo);
    s->output->size = s->capacity - s->destination.free_in_buffer;
}

static void create_writer(j_compress_ptr cinfo, session *s, const turbo_settings *settings) {
    jpeg_create_compress(cinfo);
    s->destination.init_destination = on_output_start;
    s->destination.empty_output_buffer = on_output_full;
    s->destination.term_destination = on_output_end;
    cinfo->dest = &s->destination;
    cinfo->image_width = (JDIMENSION)settings->width;
    cinfo->image_height = (JDIMENSION)settings->height;
    cinfo->input_components = settings->components;
    cinfo->in_color_space = settings->components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(cinfo);
    cinfo->dct_method = JDCT_ISLOW;
    cinfo->write_JFIF_header = settings->jfif ? TRUE : FALSE;
    cinfo->optimize_coding = settings->optimise ? TRUE : FALSE;
    for (int c = 0; c < settings->components; c++) {
        unsigned steps[DCTSIZE2];
        for (int i = 0; i < DCTSIZE2; i++)
            steps[i] = settings->tables[c][i];
        jpeg_add_quant_table(cinfo, settings->table_slot[c], steps, 100, TRUE);
        cinfo->comp_info[c].quant_tbl_no = settings->table_slot[c];
        cinfo->comp_info[c].h_samp_factor = c == 0 ? settings->h_samp : 1;
        cinfo->comp_info[c].v_samp_factor = c == 0 ? settings->v_samp : 1;
        if (settings->shared_huffman)
            cinfo->comp_info[c].dc_tbl_no = cinfo->comp_info[c].ac_tbl_no = 0;
    }
    if (settings->progressive)
        jpeg_simple_progression(cinfo);
#if JPEG_LIB_VERSION >= 70 /* fields that transcoding with the newer interfaces relies on */
    cinfo->jpeg_width = cinfo->image_width;
    cinfo->jpeg_height = cinfo->image_height;
    cinfo->min_DCT_h_scaled_size = cinfo->min_DCT_v_scaled_size = DCTSIZE;
#endif
}

static void write_metadata(j_compress_ptr cinfo, const turbo_settings *settings) {
    if (settings->exif_size > 0)
        jpeg_write_marker(cinfo, JPEG_APP0 + 1, settings->exif, (unsigned)settings->exif_size);
    if (settings->icc_size > 0)
        jpeg_write_icc_profile(cinfo, settings->icc, (unsigned)settings->icc_size);
}

static void write_pixels(j_compress_ptr cinfo, const turbo_settings *settings,
                         const unsigned char *pixels) {
    size_t row_bytes = (size_t)settings->width * settings->components;
    while (cinfo->next_scanline < cinfo->image_height) {
        JSAMPROW rows[ROWS_PER_CALL];
        for (int r = 0; r < ROWS_PER_CALL; r++)
            rows[r] = (JSAMPROW)pixels + (cinfo->next_scanline + (size_t)r) * row_bytes;
        jpeg_write_scanlines(cinfo, rows, ROWS_PER_CALL);
    }
}

static void encode(j_compress_ptr cinfo, session *s, const turbo_settings *settings,
                   const unsigned char *pixels) {
    create_writer(cinfo, s, settings);
    jpeg_start_compress(cinfo, TRUE);
    write_metadata(cinfo, settings);
    write_pixels(cinfo, settings, pixels);
    jpeg_finish_compress(cinfo);
}

int turbo_encode(const turbo_settings *settings, const unsigned char *pixels,
                 turbo_output *output, turbo_report *report) {
    struct jpeg_compress_struct cinfo = {0};
    session s;
    start_session(&s, (j_common_ptr)&cinfo, NULL, report);
    s.output = output;
    if (!setjmp(s.on_error))
        encode(&cinfo, &s, settings, pixels);
    jpeg_destroy_compress(&cinfo);
    return report->code;
}

/* A progressive file's first pass puts all coefficients into whole-image arrays: the planes. */
static void transform(j_compress_ptr cinfo, session *s, const turbo_settings *settings,
                      const unsigned char *pixels) {
    create_writer(cinfo, s, settings);
    jpeg_simple_progression(cinfo);
    cinfo->mem->request_virt_barray = request_blocks;
    cinfo->mem->access_virt_barray = access_blocks;
    jpeg_start_compress(cinfo, TRUE);
    write_pixels(cinfo, settings, pixels);
}

int turbo_transform(const turbo_settings *settings, const unsigned char *pixels,
                    short *const *planes, turbo_report *report) {
    struct jpeg_compress_struct cinfo = {0};
    turbo_output unfinished = {0};
    session s;
    start_session(&s, (j_common_ptr)&cinfo, NULL, report);
    s.output = &unfinished;
    for (int c = 0; c < settings->components; c++)
        s.arrays[c] = (block_array){.blocks = planes[c],
                                    .rows = (JDIMENSION)settings->blocks_y[c],
                                    .row_values = (size_t)settings->blocks_x[c] * DCTSIZE2};
    if (!setjmp(s.on_error))
        transform(&cinfo, &s, settings, pixels);
    jpeg_destroy_compress(&cinfo);
    turbo_free(&unfinished);
    return report->code;
}

/* Index of the first value that 8-bit JPEG cannot hold, or `count`. */
static size_t first_out_of_range(const short *blocks, size_t count) {
    short low = 0, high = 0; /* one pass that compilers vectorise; DC may be one lower */
    size_t i;
    for (i = 0; i < count; i++) {
        low = blocks[i] < low ? blocks[i] : low;
        high = blocks[i] > high ? blocks[i] : high;
    }
    if (low >= -COEFFICIENT_MAX && high <= COEFFICIENT_MAX)
        return count;
    for (i = 0; i < count; i++)
        if (blocks[i] > COEFFICIENT_MAX || blocks[i] < -COEFFICIENT_MAX - (i % DCTSIZE2 == 0))
            break;
    return i;
}

static void check_plane(j_compress_ptr cinfo, const turbo_settings *settings, int c,
                        const short *blocks) {
    size_t count = (size_t)settings->blocks_y[c] * settings->blocks_x[c] * DCTSIZE2, i;
    turbo_report *report = session_of((j_common_ptr)cinfo)->report;
    if ((int)cinfo->comp_info[c].height_in_blocks != settings->blocks_y[c] ||
        (int)cinfo->comp_info[c].width_in_blocks != settings->blocks_x[c])
        fail((j_common_ptr)cinfo, TURBO_MISMATCH, "block rows and columns");
    i = first_out_of_range(blocks, count);
    if (i == count)
        return;
    snprintf(report->message, sizeof report->message, "%d in plane %d at frequency (v=%d, u=%d)",
             blocks[i], c, (int)(i % DCTSIZE2) / DCTSIZE, (int)(i % DCTSIZE));
    fail((j_common_ptr)cinfo, TURBO_RANGE, NULL);
}

static void write_coefficients(j_compress_ptr cinfo, session *s, const turbo_settings *settings,
                               const short *const *planes) {
    jvirt_barray_ptr arrays[COMPONENTS_MAX];
    create_writer(cinfo, s, settings);
    for (int c = 0; c < settings->components; c++) {
        s->arrays[c].blocks = (short *)planes[c]; /* libjpeg only reads it */
        s->arrays[c].row_values = (size_t)settings->blocks_x[c] * DCTSIZE2;
        arrays[c] = (jvirt_barray_ptr)&s->arrays[c];
    }
    cinfo->mem->access_virt_barray = access_blocks;
    jpeg_write_coefficients(cinfo, arrays);
    for (int c = 0; c < settings->components; c++)
        check_plane(cinfo, settings, c, planes[c]);
    write_metadata(cinfo, settings);
    jpeg_finish_compress(cinfo); /* the planes are read here */
}

int turbo_write_coefficients(const turbo_settings *settings, const short *const *planes,
                             turbo_output *output, turbo_report *report) {
    struct jpeg_compress_struct cinfo = {0};
    session s;
    start_session(&s, (j_common_ptr)&cinfo, NULL, report);
    s.output = output;
    if (!setjmp(s.on_error))
        write_coefficients(&cinfo, &s, settings, planes);
    jpeg_destroy_compress(&cinfo);
    return report->code;
}

void turbo_free(turbo_output *output) {
    free(output->data);
    output->data = NULL;
    output->size = 0;
}

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

const char *turbo_version(void) {
#ifdef LIBJPEG_TURBO_VERSION
    return "libjpeg-turbo " TEXT_OF(LIBJPEG_TURBO_VERSION);
#else
    return "libjpeg " TEXT_OF(JPEG_LIB_VERSION);
#endif
}
