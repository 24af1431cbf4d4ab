/* Sixteen vector registers. */
#define XMM_REGISTERS 16
#define LOAD_XMM                                                                                                       \
    LOAD_XMM_0_TO_7                                                                                                    \
    "movups 128(%0), %%xmm8; movups 144(%0), %%xmm9; movups 160(%0), %%xmm10; movups 176(%0), %%xmm11;"                \
    "movups 192(%0), %%xmm12; movups 208(%0), %%xmm13; movups 224(%0), %%xmm14; movups 240(%0), %%xmm15;"
#define STORE_XMM                                                                                                      \
    STORE_XMM_0_TO_7                                                                                                   \
    "movups %%xmm8, 128(%0); movups %%xmm9, 144(%0); movups %%xmm10, 160(%0); movups %%xmm11, 176(%0);"                \
    "movups %%xmm12, 192(%0); movups %%xmm13, 208(%0); movups %%xmm14, 224(%0); movups %%xmm15, 240(%0);"
