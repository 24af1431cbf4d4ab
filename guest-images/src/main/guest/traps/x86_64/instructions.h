/* Instructions of 64-bit code: sets bits of RFLAGS, by so many bytes of code. */
#define SET_FLAGS(bits)  "pushfq; orq " bits ", (%%rsp); popfq; "
#define SET_FLAGS_LENGTH 10
#define HYPERCALL_INSTRUCTION "syscall"
#define HYPERCALL_CLOBBERS , "r11"
#define USER_CODE_DESCRIPTOR 0x00affb000000ffffull
