/* The vector registers, which a guest has more of in 64 bits: XMM_REGISTERS, and instructions that load and store all by operand 0. */
#ifndef FPU_H
#define FPU_H

#include "verdict.h"

#define LOAD_XMM_0_TO_7                                                                                                \
    "movups (%0), %%xmm0; movups 16(%0), %%xmm1; movups 32(%0), %%xmm2; movups 48(%0), %%xmm3;"                        \
    "movups 64(%0), %%xmm4; movups 80(%0), %%xmm5; movups 96(%0), %%xmm6; movups 112(%0), %%xmm7;"
#define STORE_XMM_0_TO_7                                                                                               \
    "movups %%xmm0, (%0); movups %%xmm1, 16(%0); movups %%xmm2, 32(%0); movups %%xmm3, 48(%0);"                        \
    "movups %%xmm4, 64(%0); movups %%xmm5, 80(%0); movups %%xmm6, 96(%0); movups %%xmm7, 112(%0);"

#include "xmm.h"

#endif
