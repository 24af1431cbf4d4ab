/*
 * What the silicon runner and the Java side share: one file, mapped by both.
 *
 *   page 0            struct header
 *   pages 1, 2        contents of the two read-only data pages (constant for a batch)
 *   from page 3       `capacity` slots of SLOT_BYTES: struct slot, then the three writable data pages
 *
 * SharedLayout.java holds the same numbers; the header carries the sizes, so that a stale twin is found at start.
 */
#ifndef ORACLE_PROTOCOL_H
#define ORACLE_PROTOCOL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#define EXIT_REFUSED 2 /* exit status: the host does not allow what the runner needs */

#define PAGE 4096UL
#define MAGIC 0x31304e4f43494c49UL /* "ILICON01" */
#define SLOTS_OFFSET (3 * PAGE)
#define SLOT_BYTES (4 * PAGE)
#define WRITABLE_PAGES 3

/*
 * What a snippet sees. All of it below 4 GB, so that 32-bit addresses and compatibility-mode code reach it.
 * Pages not listed are not mapped.
 */
#define CODE_BASE 0x10000000UL      /* two pages, read and execute; full of INT3 around the snippet */
#define READ_ONLY_LOW 0x10009000UL  /* followed by */
#define WRITABLE 0x1000a000UL       /* two pages, followed by */
#define READ_ONLY_HIGH 0x1000c000UL /* and an unmapped page */
#define WRITABLE_TOP 0xfffff000UL   /* the last page below 4 GB */

enum selector { ES, CS, SS, DS, FS, GS, SELECTORS };

/* Registers in the order of their numbers in an encoding. */
struct registers {
    u64 gpr[16];
    u64 rflags;
    u64 fs_base;
    u64 gs_base;
    u16 selector[SELECTORS];
    u32 entry; /* of the first instruction, relative to CODE_BASE; input only */
    u32 code_length;
    u32 end; /* enum end; output only, as everything below */
    u64 rip;
    u32 vector;
    u32 error_code;
    u64 cr2;
    u64 unused[7];
};

enum end {
    END_EXCEPTION = 1,   /* vector, error_code, cr2 as the processor gave them */
    END_TIMEOUT = 2,     /* still running after two timer periods */
    END_SYSTEM_CALL = 3, /* SYSCALL or INT 0x80, stopped by the filter; vector is 0x100 or 0x80 */
};

struct slot {
    struct registers in;
    struct registers out;
    u8 code[256];
    u8 unused[256];
    u8 fx_in[512]; /* FXSAVE64 image: x87, MXCSR, XMM */
    u8 fx_out[512];
    u8 ymm_high_in[256]; /* upper halves of YMM0 to YMM15; ignored and zero without AVX */
    u8 ymm_high_out[256];
    u8 reserved[PAGE - 2560];
};

struct header {
    u64 magic;
    u32 slot_bytes;
    u32 registers_bytes;
    u32 capacity; /* written by Java */
    u32 current;  /* slot that is running, for the report when the runner dies in it */
    u32 mxcsr_mask;
    u32 has_fsgsbase;
};

_Static_assert(sizeof(struct registers) == 256, "registers");
_Static_assert(sizeof(struct slot) == PAGE, "slot");

#endif
