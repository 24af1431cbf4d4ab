/* Instructions of 32-bit code: sets bits of EFLAGS, by so many bytes of code. */
#define SET_FLAGS(bits)  "pushfl; orl " bits ", (%%esp); popfl; "
#define SET_FLAGS_LENGTH 9
#define HYPERCALL_INSTRUCTION "int $0x82"
#define HYPERCALL_CLOBBERS
#define USER_CODE_DESCRIPTOR 0x00cffb000000ffffull
