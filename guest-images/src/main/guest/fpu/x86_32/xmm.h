/* Eight vector registers. */
#define XMM_REGISTERS 8
#define LOAD_XMM  LOAD_XMM_0_TO_7
#define STORE_XMM STORE_XMM_0_TO_7
